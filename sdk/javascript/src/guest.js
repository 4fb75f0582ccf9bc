/** From the world that a module exports to the task that it is. It exists only in a module, see `build.js`. */

import { Context } from "./context.js";
import { SecretError, TaskError } from "./errors.js";
import { provide } from "./host.js";

/** The export of a module, made of its default export and the imports of its world. */
export function handler(task, { context, log, heartbeat, secrets }) {
  if (typeof task?.json !== "function") {
    throw new TypeError("the module's default export must be a task: export default task((input) => ...)");
  }
  const host = {
    context: () => {
      const told = context.current();
      return new Context({ ...told, deadline: new Date(Number(told.deadline)) });
    },
    writeLog: (level, message) => log.write(level, message.toWellFormed?.() ?? message),
    heartbeat: () => heartbeat.beat(),
    secret: (name) => {
      try {
        return secrets.get(name);
      } catch (error) {
        // The error of the result is under `payload`; anything else is no answer of the host.
        throw typeof error?.payload === "string" ? new SecretError(error.payload, name) : error;
      }
    },
  };
  provide(() => host);
  return async (input) => {
    try {
      return await task.json(input);
    } catch (error) {
      const { error: name, cause } = error instanceof TaskError ? error : new TaskError("Error", error);
      // What is under `payload` is the error of the result; anything else would be a trap.
      throw Object.assign(new Error(name), { payload: { error: name, cause } });
    }
  };
}
