/**
 * Preload (`--import`): lets a contender die between any two steps of its lock. While armed, it counts calls of
 * `node:fs`. At the n-th call the process records its death, and is gone before or after the call. A pause between two
 * calls starts the count again: a refused try is short, so only a granted one reaches a high n.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const PAUSE_MS = 0.7;

let pauseMs = PAUSE_MS;
const write = fs.writeSync;
let target = 0;
let steps = 0;
let lastStepAt = 0;
let onDeath = (_name) => {};
let when = "before";

function die(name) {
  onDeath(name);
  process.kill(process.pid, "SIGKILL");
  // The signal is on its way to this very thread: do nothing more until it arrives.
  for (;;);
}

function counted(call, name) {
  return function step(...args) {
    if (target === 0) return call.apply(this, args);
    const now = performance.now();
    steps = now - lastStepAt > pauseMs ? 1 : steps + 1;
    lastStepAt = now;
    if (steps === target && when === "before") die(name);
    const result = call.apply(this, args);
    if (steps === target) die(name);
    return result;
  };
}

function wrap(functions) {
  for (const [name, value] of Object.entries(functions)) {
    const isStep = typeof value === "function" && /^[a-z]/.test(name) && !/^(watch|createRead|createWrite)/.test(name);
    if (isStep) functions[name] = Object.assign(counted(value, name), value);
  }
}

wrap(fs);
wrap(fs.promises);
syncBuiltinESMExports();

/** What the contender uses: an unpatched write, and the trigger. */
globalThis.stepKiller = {
  write,
  /** Dies at the `n`-th call of a row, `before` or `after` the call. With `gap` Infinity no pause ends a row. */
  arm(n, moment, announce, gap = PAUSE_MS) {
    pauseMs = gap;
    target = n;
    steps = 0;
    lastStepAt = performance.now();
    when = moment;
    onDeath = announce;
  },
  disarm() {
    target = 0;
  },
};
