/** Getting ready for the kernel's list of locks costs its process nothing that lasts. */
import { readdirSync, readlinkSync } from "node:fs";

import { expect, test, vi } from "vitest";

import { readyLockList } from "../../src/host/lock-list-readiness.ts";

function descriptorsOfList(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === "/proc/locks";
    } catch {
      // The descriptor of the folder itself.
      return false;
    }
  }).length;
}

test.runIf(process.platform === "linux")("one reading at a time is underway, and none stays open", async () => {
  for (let call = 0; call < 100; call++) readyLockList();
  expect(descriptorsOfList()).toBe(1);
  await vi.waitFor(() => expect(descriptorsOfList()).toBe(0), { timeout: 30_000 });
});
