import type { Context, ContextField } from "./index.js";

/** What a task told the host. */
export interface Host<Result> {
  /** Pairs of a level and a message, oldest first. */
  readonly lines: ["trace" | "debug" | "info" | "warn" | "error", string][];
  readonly heartbeats: number;
  /** Those that were made with `fetch`, oldest first. */
  readonly requests: Request[];
  /** What the function returned. */
  readonly result: Result;
}

/**
 * Plays the host while a function runs, with the given fields of the Context, with secrets by their names, and with a
 * `fetch` that answers requests; without one none is granted.
 */
export declare function withHost<Result>(
  fields: Partial<Pick<Context, ContextField>> & {
    secrets?: Record<string, string>;
    fetch?: (request: Request) => Response | Promise<Response>;
  },
  run: () => Result | Promise<Result>,
): Promise<Host<Result>>;
