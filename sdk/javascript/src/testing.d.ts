import type { Context, ContextField } from "./index.js";

/** What a task told the host. */
export interface Host<Result> {
  /** Pairs of a level and a message, oldest first. */
  readonly lines: ["trace" | "debug" | "info" | "warn" | "error", string][];
  readonly heartbeats: number;
  /** What the function returned. */
  readonly result: Result;
}

/** Plays the host while a function runs, with the given fields of the Context, and with secrets by their names. */
export declare function withHost<Result>(
  fields: Partial<Pick<Context, ContextField>> & { secrets?: Record<string, string> },
  run: () => Result | Promise<Result>,
): Promise<Host<Result>>;
