/** The task as an ordinary function and as the host calls it: `node --test`, without WebAssembly or a server. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { Context } from "stepwell-sdk";
import { withHost } from "stepwell-sdk/testing";

import sendWebhook from "./task.js";

const url = "https://shop.example.com/hooks";
const input = { url, event: "order.shipped", data: { orderId: "ord-1" } };
const secrets = { "webhook-key": "k-1" };
const answering = (status) => ({ secrets, fetch: async () => new Response(null, { status }) });

test("an event is sent with an id and a signature", async () => {
  const fields = { executionName: "e-1", stateName: "Notify", ...answering(202) };
  const host = await withHost(fields, () => sendWebhook(input, Context.current()));
  assert.deepEqual(host.result, { id: "e-1/Notify", status: 202 });
  const [sent] = host.requests;
  assert.deepEqual([sent.method, sent.url], ["POST", url]);
  const body = await sent.text();
  assert.deepEqual(JSON.parse(body), { id: "e-1/Notify", event: "order.shipped", data: { orderId: "ord-1" } });
  assert.equal(sent.headers.get("x-signature"), `sha256=${createHmac("sha256", "k-1").update(body).digest("hex")}`);
  assert.deepEqual(host.lines, [["info", `${url} took order.shipped e-1/Notify`]]);
});

test("what is not delivered has a name", async () => {
  const failure = (fields, error) =>
    withHost(fields, () => assert.rejects(sendWebhook.json(JSON.stringify(input)), { error }));
  await failure(answering(410), "Unsubscribed");
  await failure(answering(503), "NotDelivered");
  await failure({ secrets }, "NotDelivered");
  await failure({}, "SecretNotGranted");
});

test("an input that does not fit is told before anything is sent", async () => {
  const host = await withHost(answering(202), async () => {
    const cause = "url must begin with https:// or http://";
    await assert.rejects(sendWebhook.json('{"event": "a", "url": "shop"}'), { error: "InvalidInput", cause });
    await assert.rejects(sendWebhook.json("null"), { error: "InvalidInput", cause: "event must be a text" });
  });
  assert.deepEqual(host.requests, []);
});
