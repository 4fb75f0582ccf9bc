/**
 * `shipping-label`: a label for each parcel of a shipment, with the recipient's address as its country writes it and
 * the tracking number as a barcode. Written in JavaScript.
 */

import { OUTPUT_BYTES_MAX, TaskError, log, task } from "stepwell-sdk";

import { addressLines } from "./address.js";
import { label } from "./label.js";

/** Parcels whose labels fit into one output, whatever is on them. */
const PARCELS_MAX = 60;

export default task(({ shipment, recipient }, ctx) => {
  const lines = addressLines(recipient);
  const labels = shipment.parcels.map(({ trackingNumber, warehouse, quantity }, index) => ({
    trackingNumber,
    svg: label({
      carrier: shipment.carrier,
      lines,
      trackingNumber,
      note: `${quantity} × ${shipment.sku} from ${warehouse}, parcel ${index + 1} of ${shipment.parcels.length}`,
    }),
  }));
  log.info(`${labels.length} labels for ${shipment.shipmentId} in ${ctx.executionName}`);
  return { shipmentId: shipment.shipmentId, address: lines, labels: withinLimit(labels) };
}, { parse });

/** Says what is missing before anything is done. */
function parse(input) {
  const { shipment, recipient } = input ?? {};
  const problems = [];
  if (typeof shipment !== "object" || shipment === null) problems.push("shipment is missing");
  if (typeof recipient !== "object" || recipient === null) problems.push("recipient is missing");
  for (const name of ["shipmentId", "sku", "carrier"]) {
    if (shipment && typeof shipment[name] !== "string") problems.push(`shipment.${name} must be a text`);
  }
  const parcels = shipment?.parcels;
  if (shipment && !(Array.isArray(parcels) && parcels.length >= 1 && parcels.length <= PARCELS_MAX)) {
    problems.push(`shipment.parcels must have from 1 to ${PARCELS_MAX} entries`);
  }
  if (problems.length > 0) throw new Error(problems.join("; "));
  return input;
}

function withinLimit(labels) {
  const bytes = new TextEncoder().encode(JSON.stringify(labels)).length;
  // The rest of the output is small.
  if (bytes > OUTPUT_BYTES_MAX - 4_096) {
    throw new TaskError("TooManyLabels", `${labels.length} labels take ${bytes} bytes; ask for fewer parcels at once`);
  }
  return labels;
}
