/** The upper limit of memory of a run in the words of its history. The kernel is played here; `memory-cap.test.ts` asks the real one. */
import { beforeEach, expect, test, vi } from "vitest";

import type { MemoryCap } from "../../src/host/memory-cap.ts";
import type { ProcessIdentity } from "../../src/host/process-identity.ts";
import { capGateways } from "../../src/keeper/gateway-cap.ts";

const kernel = vi.hoisted(() => ({
  names: [] as string[],
  makesGroups: true,
  admits: true,
  admitted: [] as number[],
  kills: 0 as number | null,
}));

vi.mock("../../src/host/memory-cap.ts", () => ({
  capMemory(name: string): MemoryCap | undefined {
    kernel.names.push(name);
    if (!kernel.makesGroups) return undefined;
    const admit = (pid: number): boolean => {
      kernel.admitted.push(pid);
      return kernel.admits;
    };
    return { admit, countKills: () => kernel.kills, remove: () => undefined };
  },
}));

const GATEWAY: ProcessIdentity = { pid: 7, startTicks: 1, bootId: "b", pidNamespace: "n" };
const LIMIT = 150 * 2 ** 20;
let told: string[];

beforeEach(() => {
  Object.assign(kernel, { names: [], makesGroups: true, admits: true, admitted: [], kills: 0 });
  told = [];
});

const cap = (lockDir = "/a/lock"): ReturnType<typeof capGateways> =>
  capGateways({ profile: "dev", lockDir }, LIMIT, (fact) => told.push(fact));

test("profiles of one name in two homes have groups of their own", () => {
  cap("/a/lock");
  cap("/b/lock");
  expect(kernel.names[0]).toMatch(/^lockkeeper-dev-[0-9a-f]{8}$/);
  expect(new Set(kernel.names).size).toBe(2);
});

test("where no group can be made there is no limit, and the history says so", () => {
  kernel.makesGroups = false;
  expect(cap()).toBeUndefined();
  expect(told).toEqual(["the limit of its memory is not in force: no control group can be made"]);
});

test("a gateway that cannot be moved into the group is told, one that was never seen is not moved", () => {
  kernel.admits = false;
  const limit = cap();
  limit?.admit(null);
  expect([kernel.admitted, told]).toEqual([[], []]);
  limit?.admit(GATEWAY);
  expect(kernel.admitted).toEqual([7]);
  expect(told).toEqual(["the limit of its memory is not in force: it cannot be moved into its control group"]);
});

test("only a kill since the present gateway was started counts", () => {
  const limit = cap();
  kernel.kills = 3;
  limit?.admit(GATEWAY);
  expect(limit?.describeKill()).toBeUndefined();
  kernel.kills = 4;
  expect(limit?.describeKill()).toBe("the kernel killed a process at the memory limit of 150 MiB");
  limit?.admit(GATEWAY);
  expect(limit?.describeKill()).toBeUndefined();
  // The kernel does not tell any more.
  kernel.kills = null;
  expect(limit?.describeKill()).toBeUndefined();
  expect(told).toEqual([]);
});
