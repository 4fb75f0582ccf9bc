/** Lines for the task's log. What goes to the console is in the same log; these carry a level. */

import { writeLog } from "./host.js";

export const trace = (...parts) => writeLog("trace", text(parts));
export const debug = (...parts) => writeLog("debug", text(parts));
export const info = (...parts) => writeLog("info", text(parts));
export const warn = (...parts) => writeLog("warn", text(parts));
export const error = (...parts) => writeLog("error", text(parts));

function text(parts) {
  return parts.map(shown).join(" ");
}

function shown(part) {
  if (typeof part === "string") return part;
  if (part instanceof Error) return part.stack?.startsWith(part.name) ? part.stack : `${part}\n${part.stack ?? ""}`;
  try {
    return JSON.stringify(part) ?? String(part);
  } catch {
    // A circle, or a number of more bits than JSON's.
    return String(part);
  }
}
