/** The task as an ordinary function and as the host calls it: `node --test`, without WebAssembly or a server. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Context, TaskError } from "stepwell-sdk";
import { withHost } from "stepwell-sdk/testing";

import { addressLines } from "./address.js";
import { code128, symbolsOf } from "./code128.js";
import shippingLabel from "./task.js";

const place = { street: "Hauptstraße 1 ", postalCode: "10115", city: "Berlin", country: "de" };
const recipient = { name: "Ada  Example", ...place };
const parcel = { trackingNumber: "HP1234567890", warehouse: "BER-1", quantity: 2 };
const shipment = { shipmentId: "shp-1", sku: "mug-crab", carrier: "Hanse <Parcel>", parcels: [parcel, parcel] };

const refused = (run, error, cause) =>
  assert.throws(run, (failure) => {
    assert.ok(failure instanceof TaskError);
    assert.equal(failure.error, error);
    assert.match(failure.cause, cause);
    return true;
  });

test("a label for each parcel", async () => {
  const run = () => shippingLabel({ shipment, recipient }, Context.current());
  const host = await withHost({ executionName: "e-1" }, run);
  const { address, labels } = host.result;
  assert.deepEqual(address, ["Ada Example", "Hauptstraße 1", "10115 Berlin", "GERMANY"]);
  assert.deepEqual(labels.map((label) => label.trackingNumber), ["HP1234567890", "HP1234567890"]);
  assert.match(labels[1].svg, /^<svg .*2 × mug-crab from BER-1, parcel 2 of 2<.*<\/svg>$/);
  assert.ok(labels[0].svg.includes("Hanse &#60;Parcel&#62;"));
  assert.deepEqual(host.lines, [["info", "2 labels for shp-1 in e-1"]]);
});

test("addresses are written as their countries write them", () => {
  const check = (changes, expected) => assert.deepEqual(addressLines({ ...recipient, ...changes }).slice(2), expected);
  check({ country: "GB", postalCode: "sw1a 1aa", city: "London" }, ["LONDON", "SW1A 1AA", "UNITED KINGDOM"]);
  const sanMateo = { country: "US", postalCode: "94016", city: "San  Mateo", state: "ca" };
  check(sanMateo, ["SAN MATEO, CA 94016", "UNITED STATES"]);
  check({ country: "FR", postalCode: "75001", city: "Paris" }, ["75001 PARIS", "FRANCE"]);
  check({ country: "JP", postalCode: "100-0001", city: "Tokyo" }, ["Tokyo", "〒100-0001", "JAPAN"]);
});

test("all problems of an address are told at once", () => {
  refused(() => addressLines({ ...recipient, name: " ", postalCode: "1011" }), "InvalidAddress",
    /^name is empty; postalCode "1011" is none of GERMANY$/);
  refused(() => addressLines({ ...recipient, street: "x".repeat(49) }), "InvalidAddress", /more than 48 characters/);
  refused(() => addressLines({ ...recipient, country: "US", postalCode: "94016" }), "InvalidAddress", /two letters/);
  refused(() => addressLines({}), "UnsupportedCountry", /^no addresses of no country; known are CH, DE/);
});

test("a barcode has a start, the text, a check symbol and a stop", () => {
  assert.deepEqual(symbolsOf("AB12"), [104, 33, 34, 17, 18]);
  assert.deepEqual(symbolsOf("123456"), [105, 12, 34, 56]);
  assert.deepEqual(symbolsOf("A12345"), [104, 33, 99, 12, 34, 100, 21]);
  const widths = code128("123456");
  assert.equal(widths.length, 6 * 5 + 7);
  assert.equal([...widths].reduce((sum, width) => sum + Number(width), 0), 11 * 5 + 13);
  // 105 + 12 + 2 · 34 + 3 · 56 = 353, and 353 modulo 103 is 44.
  assert.equal(widths.slice(24, 30), "132131");
  const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
  for (const text of printable) assert.equal([...code128(text)].reduce((sum, width) => sum + Number(width), 0), 46);
  assert.equal(new Set(printable.map((text) => code128(text).slice(6, 12))).size, 95);
  refused(() => code128("ü"), "InvalidTrackingNumber", /cannot be a barcode/);
});

test("the host speaks JSON", async () => {
  await withHost({}, async () => {
    const { shipmentId } = JSON.parse(await shippingLabel.json(JSON.stringify({ shipment, recipient })));
    assert.equal(shipmentId, "shp-1");
    await assert.rejects(shippingLabel.json("null"), {
      error: "InvalidInput",
      cause: "shipment is missing; recipient is missing",
    });
    const empty = JSON.stringify({ shipment: { ...shipment, parcels: [] }, recipient });
    await assert.rejects(shippingLabel.json(empty), { error: "InvalidInput" });
  });
});
