// Activities and the tokens of tasks through the AWS SDK for JavaScript, and what an SDK says of a refusal it knows not.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { suite, test } from "node:test";

import {
  NOT_YET, PREFIX, call, client, create, ended, machine, operationsCalled, pages, refused, sfn, start,
} from "./shared.mjs";

const INVALID_TOKEN = "Invalid Token: 'Invalid token'";
const CLOSED = "Task Timed Out: 'Provided task does not exist anymore'";

async function worker(name, fields = {}) {
  const { activityArn } = await call("CreateActivity", { name });
  return { activityArn, of: await create(name, machine({ T: { Type: "Task", Resource: activityArn, End: true, ...fields } })) };
}

suite("activities", { concurrency: true }, () => {
  test("are created, described, listed and deleted", async () => {
    const { activityArn, creationDate } = await call("CreateActivity", { name: "js-life" });
    assert.equal(activityArn, `${PREFIX}:activity:js-life`);
    const shown = await call("DescribeActivity", { activityArn });
    assert.deepEqual([shown.name, shown.creationDate], ["js-life", creationDate]);
    const { items } = await pages(sfn.paginateListActivities({ client, pageSize: 1 }, {}), "activities");
    assert.ok(items.some((item) => item.activityArn === activityArn));
    await call("DeleteActivity", { activityArn });
    for (const operation of ["DescribeActivity", "GetActivityTask"]) {
      await refused("ActivityDoesNotExist", `Activity Does Not Exist: '${activityArn}'`, operation, { activityArn });
    }
    await refused("InvalidName", "Invalid Name: 'a b'", "CreateActivity", { name: "a b" });
    await refused("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nowhere'", "DeleteActivity", { activityArn: "nowhere" });
    await call("ListActivities");
  });

  test("hand their tasks to workers", async () => {
    const { activityArn, of } = await worker("js-works", { HeartbeatSeconds: 60 });
    const [first, second] = [await start(of, { input: "1" }), await start(of, { input: "2" })];
    const job = await call("GetActivityTask", { activityArn, workerName: "w" });
    assert.equal(job.input, "1");
    const { taskToken } = job;
    await call("SendTaskHeartbeat", { taskToken });
    await refused("InvalidOutput",
      "Invalid Output: 'Unrecognized token 'no': was expecting (JSON String, Number, Array, Object or token 'null', "
        + "'true' or 'false')'",
      "SendTaskSuccess", { taskToken, output: "no" });
    await call("SendTaskSuccess", { taskToken, output: "7" });
    assert.equal((await ended(first)).output, "7");
    await refused("TaskTimedOut", CLOSED, "SendTaskSuccess", { taskToken, output: "8" });
    const other = await call("GetActivityTask", { activityArn });
    await call("SendTaskFailure", { taskToken: other.taskToken, error: "Broken", cause: "a screw" });
    const failed = await ended(second);
    assert.deepEqual([failed.status, failed.error, failed.cause], ["FAILED", "Broken", "a screw"]);
  });

  test("know their tokens", async () => {
    for (const taskToken of ["forged", "A".repeat(100), "x".repeat(2048)]) {
      await refused("InvalidToken", INVALID_TOKEN, "SendTaskSuccess", { taskToken, output: "1" });
      await refused("InvalidToken", INVALID_TOKEN, "SendTaskFailure", { taskToken });
      await refused("InvalidToken", INVALID_TOKEN, "SendTaskHeartbeat", { taskToken });
    }
    const { activityArn, of } = await worker("js-abandoned");
    const execution = await start(of);
    const { taskToken } = await call("GetActivityTask", { activityArn });
    await call("DeleteActivity", { activityArn });
    await refused("TaskDoesNotExist", "Task does not exist: 'Provided task does not exist'",
      "SendTaskHeartbeat", { taskToken });
    await call("StopExecution", { executionArn: execution });
  });

  test("give the same answer as to a client without types for what no type is declared", async () => {
    const error = await call("GetActivityTask", { activityArn: `${PREFIX}:activity:a`, workerName: "w".repeat(81) })
      .catch((error) => error);
    assert.ok(error instanceof sfn.SFNServiceException);
    assert.equal(error.name, "ValidationException");
    assert.match(error.message, /at 'workerName' failed to satisfy constraint/);
  });
});

test("all operations of the SDK are called", () => {
  const commands = Object.keys(sfn).filter((name) => name.endsWith("Command") && name !== "$Command");
  const operations = commands.map((name) => name.slice(0, -"Command".length)).filter((name) => name);
  assert.equal(operations.length, 37);
  const sources = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".test.mjs"));
  const text = sources.map((file) => readFileSync(`${import.meta.dirname}/${file}`, "utf8")).join("");
  const uncalled = operations.filter((name) => !text.includes(`"${name}"`) && !operationsCalled().has(name));
  assert.deepEqual(uncalled, NOT_YET);
});
