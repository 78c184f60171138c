/**
 * Keeps the heap of a keeper small, which is idle for months. By itself V8 keeps the code of the start, half a mebibyte: it
 * forgets code only after five full collections, and an idle process has two, eight seconds after its start. It collects what
 * each look leaves behind only when a megabyte of it is full, and then fills another one: a mebibyte and a half in all. And it
 * leaves what has survived the start on pages that are half empty, which the system cannot have back.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { addChore } from "../chores.ts";

/**
 * Code that was not used since the last full collection is forgotten at the next, and compiled again when it is called. A full
 * collection moves everything together, and not only what is on the emptiest pages. Source: V8's flag-definitions.h; a V8 without
 * such a setting says so on standard error and goes on.
 */
const SETTINGS = ["--bytecode-old-age=1", "--flush-baseline-code", "--compact-on-every-full-gc"];

/** After most starts, since V8 takes nothing of Node's cached code after a change of settings; before those two collections. */
const AFTER_MS = 4_000;

/** What looks leave behind in this time is a twentieth of that megabyte; to collect it takes a fraction of a millisecond. */
const COLLECT_EVERY_MS = 5_000;

/** V8's own function, where it has one. */
type Collect = ((options: { readonly type: "minor" }) => void) | undefined;

/** Begins some seconds from now. Keeps no process alive. */
export function keepHeapSmall(): void {
  setTimeout(() => {
    for (const setting of SETTINGS) setFlagsFromString(setting);
    const collect = collector();
    if (collect !== undefined) addChore(COLLECT_EVERY_MS, () => collect({ type: "minor" }));
  }, AFTER_MS).unref();
}

/** Only a new global object has it after this setting. */
function collector(): Collect {
  setFlagsFromString("--expose-gc");
  try {
    return runInNewContext("globalThis.gc") as Collect;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
