/**
 * Write a Stepwell task in JavaScript: one function, JSON in, JSON out.
 *
 *     import { task, TaskError } from "stepwell-sdk";
 *
 *     export default task((order) => {
 *       if (order.sku !== "book") throw new TaskError("PriceUnavailable", `no price for ${order.sku}`);
 *       return { total: 1_999 * order.quantity };
 *     });
 *
 * The function stays an ordinary function, and its `json` is what the host calls. Build with `stepwell-build`. Outside
 * of a module the host is a test double, see `stepwell-sdk/testing`.
 */

export { Context } from "./context.js";
export { SecretError, TaskError } from "./errors.js";
export { heartbeat, secret } from "./host.js";
export * as log from "./log.js";
export { OUTPUT_BYTES_MAX, task } from "./task.js";
