// Executions, histories, Map Runs and tests of states through the AWS SDK for JavaScript.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import {
  ENDPOINT, FAIL, PASS, PREFIX, WAIT, call, client, create, ended, machine, pages, refused, sfn, start,
} from "./shared.mjs";

const NOT_JSON = "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' "
  + "or 'false')";
const CHAIN = machine(Object.fromEntries(
  [..."ABCDEF"].map((name, at, all) => [name, { Type: "Pass", ...(all[at + 1] ? { Next: all[at + 1] } : { End: true }) }]),
));

suite("executions", { concurrency: true }, () => {
  test("are started, described, listed and stopped", async () => {
    const stateMachineArn = await create("js-starts", WAIT);
    const first = await call("StartExecution", { stateMachineArn, name: "once", input: '{"n": 1}' });
    const { executionArn } = first;
    assert.equal(executionArn, `${PREFIX}:execution:js-starts:once`);
    const again = await call("StartExecution", { stateMachineArn, name: "once", input: '{"n": 1}' });
    assert.deepEqual([again.executionArn, again.startDate], [executionArn, first.startDate]);
    await refused("ExecutionAlreadyExists", `Execution Already Exists: '${executionArn}'`,
      "StartExecution", { stateMachineArn, name: "once", input: "2" });
    const stopped = await call("StopExecution", { executionArn, error: "E", cause: "C" });
    const shown = await call("DescribeExecution", { executionArn });
    assert.deepEqual([shown.status, shown.error, shown.cause, shown.stopDate], ["ABORTED", "E", "C", stopped.stopDate]);
    const listed = await call("ListExecutions", { stateMachineArn, statusFilter: "ABORTED" });
    assert.deepEqual(listed.executions.map((found) => found.name), ["once"]);
    const of = await call("DescribeStateMachineForExecution", { executionArn });
    assert.deepEqual([of.definition, of.stateMachineArn], [WAIT, stateMachineArn]);
  });

  test("are redriven", async () => {
    const executionArn = await start(await create("js-redriven", WAIT));
    await refused("ExecutionNotRedrivable", "Execution is RUNNING and cannot be redriven", "RedriveExecution", { executionArn });
    await call("StopExecution", { executionArn });
    const { redriveDate } = await call("RedriveExecution", { executionArn });
    const shown = await call("DescribeExecution", { executionArn });
    assert.deepEqual([shown.status, shown.redriveCount, shown.redriveDate], ["RUNNING", 1, redriveDate]);
  });

  test("end well or badly", async () => {
    const good = await ended(await start(await create("js-succeeds", PASS), { input: "[1]" }));
    assert.deepEqual([good.status, good.input, good.output], ["SUCCEEDED", "[1]", '{"a":1}']);
    assert.ok(good.stopDate instanceof Date && good.stopDate >= good.startDate);
    const bad = await ended(await start(await create("js-fails", FAIL)));
    assert.deepEqual([bad.status, bad.error, bad.cause], ["FAILED", "Refused", "on request"]);
  });

  test("have histories in pages and backwards", async () => {
    const executionArn = await start(await create("js-chain", CHAIN));
    await ended(executionArn);
    const whole = (await call("GetExecutionHistory", { executionArn })).events;
    assert.deepEqual(whole.map((event) => event.id), Array.from({ length: 14 }, (_, at) => at + 1));
    assert.ok(whole.every((event) => event.timestamp instanceof Date));
    assert.equal(whole[1].stateEnteredEventDetails.name, "A");
    for (const pageSize of [1, 5, 14, 1000]) {
      for (const reverseOrder of [false, true]) {
        const paginator = sfn.paginateGetExecutionHistory({ client, pageSize }, { executionArn, reverseOrder });
        const { items, sizes } = await pages(paginator, "events");
        assert.deepEqual(items, reverseOrder ? whole.toReversed() : whole);
        assert.ok(sizes.every((size) => size <= pageSize));
      }
    }
    await refused("InvalidToken", "Invalid Token: 'Invalid token'",
      "GetExecutionHistory", { executionArn, nextToken: "forged" });
  });

  test("are listed in pages", async () => {
    const stateMachineArn = await create("js-listed", PASS);
    const made = await Promise.all([1, 2, 3].map((n) => start(stateMachineArn, { name: `e${n}` })));
    await Promise.all(made.map(ended));
    const { items } = await pages(sfn.paginateListExecutions({ client, pageSize: 1 }, { stateMachineArn }), "executions");
    assert.deepEqual(items.map((item) => item.executionArn).sort(), made.sort());
  });

  test("are refused", async () => {
    const stateMachineArn = await create("js-execution-refusals", PASS);
    await refused("InvalidExecutionInput", `Invalid State Machine Execution Input: '${NOT_JSON}'`,
      "StartExecution", { stateMachineArn, input: "not json" });
    await refused("InvalidName", "Invalid Name: 'a*b'", "StartExecution", { stateMachineArn, name: "a*b" });
    const missing = `${PREFIX}:execution:js-execution-refusals:missing`;
    for (const operation of ["DescribeExecution", "GetExecutionHistory", "StopExecution", "ListMapRuns",
      "DescribeStateMachineForExecution"]) {
      await refused("ExecutionDoesNotExist", `Execution Does Not Exist: '${missing}'`,
        operation, { executionArn: missing });
    }
  });

  test("of the type EXPRESS", async () => {
    const stateMachineArn = await create("js-express", PASS, { type: "EXPRESS" });
    const done = await call("StartSyncExecution", { stateMachineArn, input: "[1]" });
    assert.deepEqual([done.status, done.output, done.billingDetails.billedMemoryUsedInMB], ["SUCCEEDED", '{"a":1}', 64]);
    const failed = await call("StartSyncExecution", {
      stateMachineArn: await create("js-express-fails", FAIL, { type: "EXPRESS" }),
    });
    assert.deepEqual([failed.status, failed.error], ["FAILED", "Refused"]);
    await refused("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine",
      "ListExecutions", { stateMachineArn });
    await refused("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'",
      "DescribeExecution", { executionArn: await start(stateMachineArn) });
  });

  test("are asked for under `sync-` unless the prefix is switched off", async () => {
    const hosts = [];
    const note = (next) => (step) => {
      hosts.push(step.request.hostname);
      step.request.hostname = new URL(ENDPOINT).hostname;
      return next(step);
    };
    const prefixed = new sfn.SFNClient({ endpoint: ENDPOINT, maxAttempts: 1 });
    prefixed.middlewareStack.add(note, { step: "finalizeRequest", priority: "low" });
    const tested = await call("TestState", { definition: PASS, stateName: "A" }, prefixed);
    assert.equal(tested.status, "SUCCEEDED");
    assert.deepEqual(hosts, [`sync-${new URL(ENDPOINT).hostname}`]);
  });
});

suite("Map Runs", { concurrency: true }, () => {
  test("are described, listed and changed", async () => {
    const processor = {
      ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
      StartAt: "A", States: { A: { Type: "Pass", End: true } },
    };
    const stateMachineArn = await create("js-maps", machine({ M: { Type: "Map", ItemProcessor: processor, End: true } }));
    const executionArn = await start(stateMachineArn, { input: "[1, 2, 3]" });
    assert.equal((await ended(executionArn)).status, "SUCCEEDED");
    const { items } = await pages(sfn.paginateListMapRuns({ client }, { executionArn }), "mapRuns");
    const { mapRunArn } = items[0];
    const shown = await call("DescribeMapRun", { mapRunArn });
    assert.deepEqual([shown.status, shown.itemCounts.succeeded, shown.itemCounts.total], ["SUCCEEDED", 3, 3]);
    const children = await call("ListExecutions", { mapRunArn });
    assert.deepEqual(children.executions.map((child) => child.status), ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
    const error = await refused("ValidationException", "Map Run has already completed and cannot be updated.",
      "UpdateMapRun", { mapRunArn, maxConcurrency: 1 });
    assert.equal(error.reason, "CANNOT_UPDATE_COMPLETED_MAP_RUN");
    const missing = `${mapRunArn.slice(0, -36)}00000000-0000-0000-0000-000000000000`;
    await refused("ResourceNotFound", `Resource not found: '${missing}'`, "DescribeMapRun", { mapRunArn: missing });
    await call("ListMapRuns", { executionArn });
  });
});

suite("tests of states", { concurrency: true }, () => {
  test("perform or mock the state", async () => {
    const definition = JSON.stringify({ Type: "Pass", Parameters: { "b.$": "$.a" }, Next: "There" });
    const tested = await call("TestState", { definition, input: '{"a": 1}', inspectionLevel: "DEBUG" });
    assert.deepEqual([tested.status, tested.nextState, tested.output], ["SUCCEEDED", "There", '{"b":1}']);
    assert.equal(tested.inspectionData.afterParameters, '{"b":1}');
    const work = JSON.stringify({ Type: "Task", Resource: "arn:aws:states:::sqs:sendMessage", End: true });
    const mocked = await call("TestState", { definition: work, mock: { errorOutput: { error: "E", cause: "C" } } });
    assert.deepEqual([mocked.status, mocked.error, mocked.cause], ["FAILED", "E", "C"]);
    await refused("ValidationException", "RoleArn must be specified when testing a Task state",
      "TestState", { definition: work });
  });
});
