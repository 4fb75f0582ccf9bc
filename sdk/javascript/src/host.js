/**
 * What the host gives a task: in a module `guest.js` provides the imports of its world, in a test `testing.js` a
 * double. Without either, lines of the log go to standard error.
 */

import { SecretError } from "./errors.js";

let find = () => undefined;

/** Makes a function tell which host it is now; it has `context`, `writeLog`, `heartbeat` and `secret`. */
export function provide(finder) {
  find = finder;
}

export function currentContext() {
  return find()?.context();
}

export function writeLog(level, message) {
  const host = find();
  if (host) host.writeLog(level, message);
  else console.error(`${level}: ${message}`);
}

export function heartbeat() {
  find()?.heartbeat();
}

export function secret(name) {
  const host = find();
  if (!host) throw new SecretError("not-granted", name);
  return host.secret(name);
}
