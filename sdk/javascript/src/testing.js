/**
 * The host's side of a task in a test: what the task is told, and what it told the host.
 *
 *     const host = await withHost({ attempt: 2 }, () => quote({ sku: "book", quantity: 1 }, Context.current()));
 *     assert.deepEqual(host.lines, [["info", "priced 1 book"]]);
 *
 *     const fetch = () => Response.json({ USD: 1.1 });
 *     const host = await withHost({ fetch }, () => convert({ amount: 1_999, to: "USD" }));
 *     assert.equal(host.requests[0].url, "https://api.example.com/rates?base=EUR");
 */

import { AsyncLocalStorage } from "node:async_hooks";

import { Context } from "./context.js";
import { SecretError } from "./errors.js";
import { provide } from "./host.js";

const hosts = new AsyncLocalStorage();
provide(() => hosts.getStore());

const outside = globalThis.fetch;
/** Within a host requests go to its test and not outside. */
globalThis.fetch = async (...parameters) => {
  const host = hosts.getStore();
  return host ? host.fetch(new Request(...parameters)) : outside(...parameters);
};

class Host {
  lines = [];
  heartbeats = 0;
  /** Those that were made, oldest first; each is a `Request` of its own. */
  requests = [];
  /** What the function returned. */
  result = undefined;
  #context;
  #secrets;
  #fetch;

  constructor(context, secrets, fetch) {
    this.#context = context;
    this.#secrets = new Map(Object.entries(secrets));
    this.#fetch = fetch;
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

  async fetch(request) {
    this.requests.push(request.clone());
    if (this.#fetch) return this.#fetch(request);
    // As in a module without a grant.
    throw new TypeError(`${request.method} ${request.url} was denied: give withHost a fetch that answers it`);
  }

  secret(name) {
    if (!this.#secrets.has(name)) throw new SecretError("not-granted", name);
    return this.#secrets.get(name);
  }
}

/**
 * Plays the host while a function runs: with the given fields of the Context, with `secrets`, values by name, and with a
 * `fetch` that takes each `Request` and gives its `Response`. Tests at one time have one each.
 */
export async function withHost({ secrets = {}, fetch, ...fields }, run) {
  const host = new Host(new Context(fields), secrets, fetch);
  host.result = await hosts.run(host, run);
  return host;
}
