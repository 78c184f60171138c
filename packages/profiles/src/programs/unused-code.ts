/**
 * V8 keeps what it has compiled until five full collections in a row have found it unused. An idle keeper has two, eight seconds after
 * its start, and then none for days: without these settings the code of the start would stay, half a mebibyte.
 */
import { setFlagsFromString } from "node:v8";

/**
 * Code that was not used since the last full collection is forgotten at the next, and compiled again when it is called. Source: V8's
 * flag-definitions.h; a V8 without such a setting says so on standard error and goes on.
 */
const SETTINGS = ["--bytecode-old-age=1", "--flush-baseline-code"];

/** Past most starts, since V8 takes nothing of Node's cached code after a change of settings, and before those two collections. */
const AFTER_MS = 4_000;

/** Has V8 forget in time what only a start has called. Keeps no process alive. */
export function forgetUnusedCode(): void {
  setTimeout(() => {
    for (const setting of SETTINGS) setFlagsFromString(setting);
  }, AFTER_MS).unref();
}
