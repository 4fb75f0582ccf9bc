/** The SDK as the author of a task uses it, with the test double as the host. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { Context, SecretError, TaskError, heartbeat, log, secret, task } from "stepwell-sdk";
import { withHost } from "stepwell-sdk/testing";

import { handler } from "../src/guest.js";

const quote = task((order, ctx) => {
  log.info("attempt", ctx.attempt, { sku: order.sku });
  heartbeat();
  if (order.sku !== "book") throw new TaskError("PriceUnavailable", `no price for ${order.sku}`);
  return { total: 1_999 * order.quantity };
});

const failsWith = (error, cause) => (failure) => {
  assert.ok(failure instanceof TaskError, inspect(failure));
  assert.deepEqual([failure.error, failure.cause], [error, cause]);
  return true;
};

test("the function stays an ordinary function", async () => {
  const order = { sku: "book", quantity: 2 };
  const host = await withHost({ attempt: 2 }, async () => [
    quote(order, Context.current()),
    await quote.json(JSON.stringify(order)),
  ]);
  assert.deepEqual(host.result, [{ total: 3_998 }, '{"total":3998}']);
  assert.deepEqual(host.lines, Array(2).fill(["info", 'attempt 2 {"sku":"book"}']));
  assert.equal(host.heartbeats, 2);
});

test("hosts beside each other do not see each other's lines", async () => {
  const run = (name) =>
    withHost({ executionName: name }, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      log.warn(Context.current().executionName);
    });
  const hosts = await Promise.all(["a", "b"].map(run));
  assert.deepEqual(hosts.map((host) => host.lines), [[["warn", "a"]], [["warn", "b"]]]);
});

test("a context is a plausible one, and hides its token", () => {
  const context = new Context({ taskToken: "s3cret", attempt: 1 });
  assert.equal(context.taskToken, "s3cret");
  assert.ok(context.remaining() > 50_000);
  assert.equal(new Context({ deadline: new Date(0) }).remaining(), 0);
  assert.ok(!inspect(context).includes("s3cret") && !JSON.stringify(context).includes("s3cret"));
});

test("errors have names", async () => {
  await withHost({}, async () => {
    await assert.rejects(quote.json('{"sku":"tea"}'), failsWith("PriceUnavailable", "no price for tea"));
    class OutOfStock extends TaskError {
      constructor(sku) {
        super("OutOfStock", `no ${sku}`);
      }
    }
    const failing = task(() => {
      throw new OutOfStock("tea");
    });
    await assert.rejects(failing.json("1"), failsWith("OutOfStock", "no tea"));
  });
});

test("a secret is there if it is granted", async () => {
  const length = task((name) => secret(name).length);
  await withHost({ secrets: { "payment-key": "s3cret" } }, async () => {
    assert.equal(await length.json('"payment-key"'), "6");
    const cause = "the secret is not granted to this module: other";
    await assert.rejects(length.json('"other"'), { error: "SecretNotGranted", cause, reason: "not-granted" });
  });
  assert.equal(new SecretError("unavailable", "a").error, "SecretUnavailable");
});

test("requests go to the test and not outside", async () => {
  const rate = task(async (to) => {
    const answer = await fetch(`https://api.example.com/rates?to=${to}`, { method: "POST", body: "EUR" });
    if (!answer.ok) throw new TaskError("NoRate", `status ${answer.status}`);
    return (await answer.json())[to];
  });
  const answers = { USD: Response.json({ USD: 1.1 }), JPY: new Response("", { status: 404 }) };
  const answer = async (request) => answers[new URL(request.url).searchParams.get("to")];
  const host = await withHost({ fetch: answer }, async () => {
    assert.equal(await rate.json('"USD"'), "1.1");
    await assert.rejects(rate.json('"JPY"'), failsWith("NoRate", "status 404"));
  });
  const [first] = host.requests;
  assert.deepEqual([first.method, first.url], ["POST", "https://api.example.com/rates?to=USD"]);
  assert.equal(await first.text(), "EUR");
  await withHost({}, () => assert.rejects(rate.json('"USD"'), { error: "TypeError", cause: /was denied/ }));
});

test("an error that is thrown has its own name, and its place in the log", async () => {
  const failing = task(async (what) => {
    if (what === "text") throw "text";
    return what.missing.field;
  });
  const host = await withHost({}, async () => {
    await assert.rejects(failing.json("{}"), { error: "TypeError", cause: /undefined/ });
    await assert.rejects(failing.json('"text"'), failsWith("Error", "text"));
  });
  assert.match(host.lines[0][1], /^TypeError: [^]*task\.test\.js/);
});

test("overlong texts are cut between characters", () => {
  const error = new TaskError("é".repeat(300), "🦀".repeat(40_000));
  assert.equal(error.error, "é".repeat(256));
  assert.equal(error.cause, "🦀".repeat(32_768));
});

test("an input that does not fit is a named error", async () => {
  const checked = task((number) => number * 2, {
    parse: (value) => {
      if (typeof value !== "number") throw new Error(`expected a number, found ${typeof value}`);
      return value;
    },
  });
  assert.equal(await checked.json("4"), "8");
  await assert.rejects(checked.json('"4"'), failsWith("InvalidInput", "expected a number, found string"));
  await assert.rejects(checked.json("{"), ({ error }) => error === "InvalidInput");
});

test("a result that JSON cannot hold is a named error", async () => {
  const circle = {};
  circle.circle = circle;
  for (const value of [circle, 1n, NaN, { a: Infinity }, new Map(), [new Set()], () => 1, Symbol("a")]) {
    await assert.rejects(task(() => value).json("null"), ({ error }) => error === "InvalidOutput", inspect(value));
  }
  await assert.rejects(task(() => ({ a: NaN })).json("1"), failsWith("InvalidOutput", 'NaN is no JSON (at "a")'));
  assert.equal(await task(() => undefined).json("null"), "null");
  assert.equal(await task(() => new Date(0)).json("null"), '"1970-01-01T00:00:00.000Z"');
});

test("what cannot be a task is refused", () => {
  assert.throws(() => task({}), /takes the function/);
  assert.throws(() => task((a, b, c) => c), /there is nothing else/);
  assert.throws(() => task(() => 1, { parser: 1 }), /no option parser/);
  assert.throws(() => handler({}, {}), /default export must be a task/);
});

test("a module hands the host what it takes", async () => {
  const written = [];
  const imports = {
    context: { current: () => ({ executionName: "e", attempt: 1, deadline: 1_000n, taskToken: undefined }) },
    log: { write: (level, message) => written.push(`${level}: ${message}`) },
    heartbeat: { beat: () => written.push("beat") },
    secrets: {
      get: () => {
        throw Object.assign(new Error("missing"), { payload: "missing" });
      },
    },
  };
  const handle = handler(quote, imports);
  try {
    assert.equal(await handle('{"sku":"book","quantity":1}'), '{"total":1999}');
    assert.deepEqual(written, ['info: attempt 1 {"sku":"book"}', "beat"]);
    await assert.rejects(handle('{"sku":"tea"}'), ({ payload }) => {
      assert.deepEqual(payload, { error: "PriceUnavailable", cause: "no price for tea" });
      return true;
    });
    assert.equal(Context.current().deadline.getTime(), 1_000);
    assert.throws(() => secret("a"), { error: "SecretMissing", cause: "there is no such secret: a" });
  } finally {
    // The double of the tests again.
    (await import("../src/host.js")).provide(() => undefined);
  }
});
