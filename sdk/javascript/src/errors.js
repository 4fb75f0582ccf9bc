/** A task's failure: a name that the workflow matches in `Retry` and `Catch`, and a cause for a person. */

/** AWS limit: an error name has at most 256 characters. */
const ERROR_CHARS_MAX = 256;
/** AWS limit: a cause has at most 32,768 characters. */
const CAUSE_CHARS_MAX = 32_768;

/** An input that doesn't fit. */
export const INVALID_INPUT = "InvalidInput";
/** A result that can't be written as JSON. */
export const INVALID_OUTPUT = "InvalidOutput";

export class TaskError extends Error {
  constructor(error, cause = "") {
    super(`${error}: ${cause}`);
    this.name = "TaskError";
    this.error = cut(String(error), ERROR_CHARS_MAX);
    this.cause = cut(String(cause), CAUSE_CHARS_MAX);
  }
}

/** By their names in the contract with the host. */
const WHY = {
  "not-granted": "the secret is not granted to this module",
  missing: "there is no such secret",
  unavailable: "the host cannot read its secrets now",
};

/** There is no secret: `SecretNotGranted`, `SecretMissing` or `SecretUnavailable`, after `reason`. */
export class SecretError extends TaskError {
  constructor(reason, name) {
    const words = reason.split("-").map((word) => word[0].toUpperCase() + word.slice(1));
    super(`Secret${words.join("")}`, `${WHY[reason]}: ${name}`);
    this.reason = reason;
  }
}

/** Cuts between characters, and leaves no half of a surrogate pair: that would be no UTF-8. */
function cut(text, charsMax) {
  const whole = text.toWellFormed?.() ?? text;
  // A text this short in code units can't be too long in characters: the usual case needs no counting.
  return whole.length <= charsMax ? whole : Array.from(whole).slice(0, charsMax).join("");
}
