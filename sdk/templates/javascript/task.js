/** A task: prices an order. */

import { TaskError, log, task } from "stepwell-sdk";

/** @typedef {{ sku: string, quantity: number }} Order */

export default task(
  (/** @type {Order} */ order, ctx) => {
    // An error that a workflow can match by name.
    if (order.sku !== "book") throw new TaskError("PriceUnavailable", `no price for ${order.sku}`);
    log.info(`priced ${order.quantity} x ${order.sku} in attempt ${ctx.attempt}`);
    return { total: 1_999 * order.quantity };
  },
  { parse },
);

/** Checks the input; what it throws is the cause of `InvalidInput`. */
function parse(input) {
  if (typeof input?.sku !== "string") throw new Error("sku must be a text");
  if (!Number.isSafeInteger(input.quantity)) throw new Error("quantity must be a whole number");
  return input;
}
