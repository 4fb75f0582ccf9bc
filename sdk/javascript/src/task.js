/** The way from the host's JSON text to a task and back. */

import { Context } from "./context.js";
import { INVALID_INPUT, INVALID_OUTPUT, TaskError } from "./errors.js";
import * as log from "./log.js";

/** The largest output the host takes, in bytes of UTF-8 text: AWS's limit on a task's payload. */
export const OUTPUT_BYTES_MAX = 262_144;

export function task(handler, options = {}) {
  if (typeof handler !== "function") throw new TypeError("task() takes the function that does the work");
  if (handler.length > 2) throw new TypeError("a task takes its input and a Context; there is nothing else");
  const { parse, ...others } = options;
  if (parse !== undefined && typeof parse !== "function") throw new TypeError("the option parse is a function");
  const unknown = Object.keys(others);
  if (unknown.length > 0) throw new TypeError(`task() has no option ${unknown.join(", ")}; it has parse`);
  handler.json = (text) => call(handler, parse, text);
  return handler;
}

async function call(handler, parse, text) {
  const input = await read(text, parse);
  let result;
  try {
    result = await handler(input, Context.current());
  } catch (error) {
    if (error instanceof TaskError) throw error;
    // As a function on AWS Lambda fails: under the name of the error.
    log.error(error);
    if (error instanceof Error) throw new TaskError(error.name, error.message);
    throw new TaskError("Error", String(error));
  }
  return write(result);
}

async function read(text, parse) {
  try {
    const value = JSON.parse(text);
    return parse ? await parse(value) : value;
  } catch (error) {
    if (error instanceof TaskError) throw error;
    throw new TaskError(INVALID_INPUT, error instanceof Error ? error.message : String(error));
  }
}

function write(result) {
  try {
    const text = JSON.stringify(result === undefined ? null : result, refuse);
    if (text !== undefined) return text;
  } catch (error) {
    throw new TaskError(INVALID_OUTPUT, error.message);
  }
  throw new TaskError(INVALID_OUTPUT, `a ${typeof result} cannot be written as JSON`);
}

/** Values that JSON.stringify would write as something else without a word. */
function refuse(key, value) {
  const place = key === "" ? "" : ` (at "${key}")`;
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} is no JSON${place}`);
  if (value instanceof Map || value instanceof Set) {
    throw new TypeError(`a ${value.constructor.name} cannot be written as JSON${place}`);
  }
  return value;
}
