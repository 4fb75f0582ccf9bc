/** The call that code runs in. The deadline is when the host stops it. */
export declare class Context {
  constructor(fields?: Partial<Pick<Context, ContextField>>);
  readonly executionArn: string;
  /** The same over all attempts, so a good part of an idempotency key. */
  readonly executionName: string;
  readonly stateMachineArn: string;
  readonly stateName: string;
  /** 0 for the first attempt of the state, then one more for each retry. */
  readonly attempt: number;
  readonly deadline: Date;
  /** Present when the state waits for a task token. It is not enumerable, so that it gets into no log. */
  readonly taskToken: string | undefined;
  /** The context of the call that runs now. */
  static current(): Context;
  /** Milliseconds left before the host stops this call; 0 once the deadline has passed. */
  remaining(): number;
}

export type ContextField =
  | "executionArn"
  | "executionName"
  | "stateMachineArn"
  | "stateName"
  | "attempt"
  | "deadline"
  | "taskToken";

/** A failure that the workflow can match by name. Names that start with `States.` are reserved. */
export declare class TaskError extends Error {
  constructor(error: string, cause?: string);
  /** The name that `ErrorEquals` matches. */
  readonly error: string;
  /** What happened, for a person. */
  readonly cause: string;
}

/** The largest output the host takes, in bytes of UTF-8 text. */
export declare const OUTPUT_BYTES_MAX: number;

export interface TaskOptions<Input> {
  /** Checks the input, such as a schema's `parse`; what it throws is the cause of `InvalidInput`. */
  parse?: (value: unknown) => Input;
}

export type Handler<Input, Output> = (input: Input, context: Context) => Output | Promise<Output>;

/** A task: an ordinary function, with what the host calls beside it. */
export type Task<Input, Output> = Handler<Input, Output> & { json(text: string): Promise<string> };

/** Makes a function the task of its module, which exports it as its default. */
export declare function task<Input = any, Output = unknown>(
  handler: Handler<Input, Output>,
  options?: TaskOptions<Input>,
): Task<Input, Output>;

/** Tells the engine that this task is still alive, as `HeartbeatSeconds` of its state asks for. */
export declare function heartbeat(): void;

/** There is no secret. A task that lets it pass fails as `SecretNotGranted`, `SecretMissing` or `SecretUnavailable`. */
export declare class SecretError extends TaskError {
  readonly reason: "not-granted" | "missing" | "unavailable";
}

/** The value of a secret that is granted to this module. Keep it out of results, errors and logs. */
export declare function secret(name: string): string;

/** Lines for the task's log. Texts are written as they are, other values as JSON. */
export declare namespace log {
  function trace(...parts: unknown[]): void;
  function debug(...parts: unknown[]): void;
  function info(...parts: unknown[]): void;
  function warn(...parts: unknown[]): void;
  function error(...parts: unknown[]): void;
}
