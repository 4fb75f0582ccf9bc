// What the suites in JavaScript are made with.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.STEPWELL_JAVASCRIPT}/package.json`);
export const sfn = require("@aws-sdk/client-sfn");

export const ENDPOINT = process.env.STEPWELL_ENDPOINT;
export const PREFIX = "arn:aws:states:us-east-1:123456789012";
export const ROLE = "arn:aws:iam::123456789012:role/tests";
const PATIENCE_MILLISECONDS = 30_000;
const PAUSE_MILLISECONDS = 20;

// Operations that the server doesn't have yet; see `run`.
export const NOT_YET = process.env.STEPWELL_NOT_YET.split(" ").filter((name) => name);

// A refusal is what is looked at, so it is not tried again. No host name can be put before an address.
export const client = new sfn.SFNClient({ endpoint: ENDPOINT, maxAttempts: 1, disableHostPrefix: true });

const called = new Set();

/** Calls an operation by its name. */
export function call(operation, members = {}, by = client) {
  called.add(operation);
  return by.send(new sfn[`${operation}Command`](members));
}

/** The operations that this file has called. */
export function operationsCalled() {
  return called;
}

/** Holds the typed error of the SDK against what is expected; gives it. */
export async function refused(code, message, operation, members) {
  const error = await call(operation, members).then(
    (answer) => assert.fail(`${operation} was not refused: ${JSON.stringify(answer)}`),
    (error) => error,
  );
  assert.equal(error.message, message, operation);
  assert.ok(error instanceof sfn.SFNServiceException, `${operation}: ${error}`);
  assert.ok(error instanceof sfn[code], `${operation}: ${error.name} is no ${code}`);
  assert.equal(error.name, code);
  assert.equal(error.$fault, "client");
  assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
  return error;
}

export function machine(states) {
  return JSON.stringify({ StartAt: Object.keys(states)[0], States: states });
}

export const PASS = machine({ A: { Type: "Pass", Result: { a: 1 }, End: true } });
export const WAIT = machine({ W: { Type: "Wait", Seconds: 1000, End: true } });
export const FAIL = machine({ F: { Type: "Fail", Error: "Refused", Cause: "on request" } });

export async function create(name, definition, members = {}) {
  const created = await call("CreateStateMachine", { name, definition, roleArn: ROLE, ...members });
  return created.stateMachineArn;
}

export async function start(stateMachineArn, members = {}) {
  return (await call("StartExecution", { stateMachineArn, ...members })).executionArn;
}

/** Looks until there is something. */
export async function waitFor(what, look) {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while (Date.now() < deadline) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
  }
  return assert.fail(`waited in vain for ${what}`);
}

export function ended(executionArn) {
  return waitFor(`the end of ${executionArn}`, async () => {
    const shown = await call("DescribeExecution", { executionArn });
    return shown.status !== "RUNNING" && shown;
  });
}

/** All of the items of a paginator of the SDK, and how large its pages were. */
export async function pages(paginator, member) {
  const items = [];
  const sizes = [];
  for await (const page of paginator) {
    items.push(...page[member]);
    sizes.push(page[member].length);
  }
  return { items, sizes };
}
