import { spawn } from "node:child_process";
import { once } from "node:events";

import { afterEach, describe, expect, test } from "vitest";

import { readTreeMemory } from "../../src/host/process-memory.ts";
import { readProcessUsage, readUsageAgain } from "../../src/host/process-usage.ts";
import { until } from "../../../../test/harness/until.ts";

const ENDED: (() => void)[] = [];

afterEach(() => {
  for (const end of ENDED.splice(0)) end();
});

/** A process group with a child that holds `mebibytes`, and a grandchild whose parent has ended. */
async function tree(mebibytes: number): Promise<number> {
  const hold = `const held = Buffer.alloc(${mebibytes} * 2 ** 20, 1); setInterval(() => held.length, 1e6)`;
  const script = `${process.execPath} -e '${hold}; console.log("holds")' & (${process.execPath} -e '${hold}; console.log("holds")' &) ; wait`;
  const child = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const pid = child.pid ?? 0;
  ENDED.push(() => process.kill(-pid, "SIGKILL"));
  for (let said = ""; said.split("holds").length < 3;) said += String((await once(child.stdout, "data"))[0]);
  const count = (): number => readProcessUsage([pid]).get(pid)?.processes.length ?? 0;
  await until("the parent of the grandchild has ended", () => count() === 3);
  return pid;
}

describe.skipIf(process.platform !== "linux")("the memory of a tree (Linux)", () => {
  test("is the sum of all its processes, including one whose parent has ended", async () => {
    const root = await tree(50);
    const usage = readProcessUsage([root]).get(root);
    expect(usage?.processes.length).toBe(3);
    const memory = readTreeMemory([root]).get(root);
    expect(memory?.measure).toBe("proportional");
    expect(memory?.bytes).toBeGreaterThan(100 * 2 ** 20);
    // Shared pages, above all of the runtime's own file, are counted once.
    expect(memory?.bytes).toBeLessThan(usage?.residentBytes ?? 0);
  });

  test("is measured exactly only when it could be above the limit", async () => {
    const root = await tree(1);
    expect(readTreeMemory([root], 2 ** 50).get(root)?.measure).toBe("resident");
    expect(readTreeMemory([root], 2 ** 20).get(root)?.measure).toBe("proportional");
  });

  test("is read again from the same processes, until one of them has ended", async () => {
    const root = await tree(1);
    const usage = readProcessUsage([root]).get(root);
    if (usage === undefined) throw new Error("the tree does not live");
    const again = readUsageAgain(usage);
    const ids = usage.processes.map(({ pid, startTicks }) => `${pid} ${startTicks}`);
    expect(again?.processes.map(({ pid, startTicks }) => `${pid} ${startTicks}`)).toEqual(ids);
    expect(again?.cpuMs).toBeGreaterThanOrEqual(usage.cpuMs);
    // As a later process with the same id would look.
    const [first, ...others] = usage.processes;
    if (first === undefined) throw new Error("the tree is empty");
    const replaced = { ...usage, processes: [{ ...first, startTicks: first.startTicks - 1 }, ...others] };
    expect(readUsageAgain(replaced)).toBeUndefined();
    expect(readUsageAgain({ ...usage, processes: [{ ...first, pid: 2 ** 22 + 1 }] })).toBeUndefined();
  });

  test("is unknown for a process that is not alive", () => {
    expect(readTreeMemory([2 ** 22 + 1]).size).toBe(0);
  });
});
