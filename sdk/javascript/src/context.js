/** Which attempt of which state a call is, and how long it may still take. */

import { currentContext } from "./host.js";

/** The time that a test's context has left. */
const TEST_MILLISECONDS = 60_000;

export class Context {
  /** Without fields it is a plausible first attempt with a minute to go, for tests to vary. */
  constructor(fields = {}) {
    this.executionArn = fields.executionArn ?? "arn:aws:states:us-east-1:123456789012:execution:example:test";
    this.executionName = fields.executionName ?? "test";
    this.stateMachineArn = fields.stateMachineArn ?? "arn:aws:states:us-east-1:123456789012:stateMachine:example";
    this.stateName = fields.stateName ?? "Task";
    this.attempt = fields.attempt ?? 0;
    this.deadline = fields.deadline ?? new Date(Date.now() + TEST_MILLISECONDS);
    // Whoever has it can answer the task, so it is not among what is printed.
    Object.defineProperty(this, "taskToken", { value: fields.taskToken, enumerable: false });
    Object.freeze(this);
  }

  static current() {
    return currentContext() ?? new Context();
  }

  remaining() {
    return Math.max(this.deadline.getTime() - Date.now(), 0);
  }
}
