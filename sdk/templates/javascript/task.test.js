/** Tests of the task, without WebAssembly or a server. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Context } from "stepwell-sdk";
import { withHost } from "stepwell-sdk/testing";

import quote from "./task.js";

test("a quote is the price times the quantity", async () => {
  const host = await withHost({ attempt: 1 }, () => quote({ sku: "book", quantity: 2 }, Context.current()));
  assert.deepEqual(host.result, { total: 3_998 });
  assert.deepEqual(host.lines, [["info", "priced 2 x book in attempt 1"]]);
});

test("what has no price is refused by name", async () => {
  await withHost({}, () =>
    assert.rejects(quote.json('{"sku":"tea","quantity":1}'), { error: "PriceUnavailable", cause: "no price for tea" }),
  );
});

test("the host speaks JSON", async () => {
  await withHost({}, async () => {
    assert.equal(await quote.json('{"sku":"book","quantity":1}'), '{"total":1999}');
    await assert.rejects(quote.json('{"sku":"book"}'), { error: "InvalidInput", cause: "quantity must be a whole number" });
  });
});
