/**
 * `send-webhook`: tells an address of a customer's what has happened, signed so that they can check who says it. Written in
 * JavaScript.
 *
 * The key of the signature is a secret, and `module.toml` beside this file asks for it and for the requests. An attempt that
 * is run again sends the same id.
 */

import { TaskError, log, secret, task } from "stepwell-sdk";

const KEY_SECRET = "webhook-key";
/** A retry is better than a long wait. */
const ANSWER_MILLISECONDS = 10_000;

export default task(async ({ url, event, data }, ctx) => {
  const id = `${ctx.executionName}/${ctx.stateName}`;
  const body = JSON.stringify({ id, event, data });
  const headers = { "content-type": "application/json", "x-signature": `sha256=${await signature(body)}` };
  const answer = await post(url, { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_MILLISECONDS) });
  if (answer.status === 410) throw new TaskError("Unsubscribed", `${url} wants no more events`);
  if (!answer.ok) throw new TaskError("NotDelivered", `${url} answered with status ${answer.status}`);
  log.info(`${url} took ${event} ${id}`);
  return { id, status: answer.status };
}, { parse });

/** Gives a request that no answer came to a name of its own. */
async function post(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    throw new TaskError("NotDelivered", `${url}: ${error.message}`);
  }
}

/** HMAC with SHA-256, in hexadecimal digits. */
async function signature(text) {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret(KEY_SECRET)), algorithm, false, ["sign"]);
  const bytes = await crypto.subtle.sign("HMAC", key, encoder.encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Says what is missing before anything is done. */
function parse(input) {
  const { url, event } = input ?? {};
  if (typeof event !== "string" || event === "") throw new Error("event must be a text");
  if (typeof url !== "string" || !/^https?:\/\//.test(url)) throw new Error("url must begin with https:// or http://");
  return input;
}
