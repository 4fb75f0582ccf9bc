/**
 * The host's side of a task in a test: what the task is told, and what it told the host.
 *
 *     const host = await withHost({ attempt: 2 }, () => quote({ sku: "book", quantity: 1 }, Context.current()));
 *     assert.deepEqual(host.lines, [["info", "priced 1 book"]]);
 */

import { AsyncLocalStorage } from "node:async_hooks";

import { Context } from "./context.js";
import { SecretError } from "./errors.js";
import { provide } from "./host.js";

const hosts = new AsyncLocalStorage();
provide(() => hosts.getStore());

class Host {
  lines = [];
  heartbeats = 0;
  /** What the function returned. */
  result = undefined;
  #context;
  #secrets;

  constructor(context, secrets) {
    this.#context = context;
    this.#secrets = new Map(Object.entries(secrets));
  }

  context() {
    return this.#context;
  }

  writeLog(level, message) {
    this.lines.push([level, message]);
  }

  heartbeat() {
    this.heartbeats += 1;
  }

  secret(name) {
    if (!this.#secrets.has(name)) throw new SecretError("not-granted", name);
    return this.#secrets.get(name);
  }
}

/**
 * Plays the host while a function runs: with the given fields of the Context, and with `secrets`, values by name. Tests at
 * one time have one each.
 */
export async function withHost({ secrets = {}, ...fields }, run) {
  const host = new Host(new Context(fields), secrets);
  host.result = await hosts.run(host, run);
  return host;
}
