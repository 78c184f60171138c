/** What the controls with a kernel lock share: a permanent file, locked; released again when `isAlone` says no. */
import { closeSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

const core = new URL("../../../packages/core/package.json", import.meta.url);
const { tryLock } = createRequire(core)("fs-native-extensions");

export async function acquireFile(path, timeoutMs, isAlone) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const fd = openSync(path, "a+");
    if (tryLock(fd) && isAlone(fd)) return async () => closeSync(fd);
    closeSync(fd);
    if (performance.now() > deadline) throw new Error("the lock was not had in time");
    await sleep(1);
  }
}
