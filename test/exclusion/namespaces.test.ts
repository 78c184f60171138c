/**
 * An owner that cannot be judged from here is neither alive nor dead: the kernel's lock decides. Containers may show a
 * boot id of their own (LXC, systemd-nspawn), shift the clock that identifies processes, and always count their own
 * pids.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { acquireGatewayLock, inspectGatewayLock, lockPathFor } from "@lockkeeper/core";
import {
  identifyProcess,
  judgeProcess,
  lookAtKernelLocks,
  ownIdentity,
  sweepGatewayLock,
} from "@lockkeeper/core/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Program } from "./programs.ts";
import { endPrograms, startProgram } from "./programs.ts";

let home: string;
let place: { lockDir: string; configPath: string };

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-namespaces-"));
  place = { lockDir: join(home, "lock"), configPath: join(home, "gateway.json") };
});

afterEach(async () => {
  await endPrograms();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

const startOwner = (under: readonly string[]): Promise<Program> =>
  startProgram({ name: "owner.js", args: [JSON.stringify(place)], under });

/** The command prefix of a container that shows a boot id of its own. */
function withOwnBootId(): readonly string[] {
  writeFileSync(join(home, "boot_id"), "11111111-2222-3333-4444-555555555555\n");
  const script = 'mount --bind "$0/boot_id" /proc/sys/kernel/random/boot_id && "$@"; exit $?';
  return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script, home];
}

async function expectOwned(owner: Program): Promise<void> {
  expect(lookAtKernelLocks().ask(place)).toMatchObject({ verdict: "held" });
  expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held" });
  expect(await sweepGatewayLock(place)).toBe("held");
  await expect(acquireGatewayLock({ ...place, timeoutMs: 50 })).rejects.toMatchObject({ code: "LOCK_HELD" });
  expect(owner.child.exitCode).toBeNull();
}

/** After its end the next owner comes at once. */
async function expectReclaimed(owner: Program): Promise<void> {
  owner.kill("SIGKILL");
  await owner.exited();
  const lock = await acquireGatewayLock({ ...place, timeoutMs: 2_000 });
  await lock.release();
}

const canMask = spawnSync("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "true"]).status === 0;
if (!canMask) process.stdout.write("skipped: this machine makes no pid namespaces for us (unshare)\n");

describe.runIf(canMask)("an owner in a container with a boot id of its own", () => {
  test("is also the owner for processes outside, and is taken over when it is dead", async () => {
    const owner = await startOwner(withOwnBootId());
    expect(readFileSync(lockPathFor(place.lockDir, place.configPath), "utf8")).toContain("11111111-2222");
    await expectOwned(owner);
    await expectReclaimed(owner);
  });

  test("is still the owner when its file was replaced by a copy", async () => {
    const owner = await startOwner(withOwnBootId());
    const path = lockPathFor(place.lockDir, place.configPath);
    copyFileSync(path, join(home, "copy"));
    renameSync(join(home, "copy"), path);
    await expect(acquireGatewayLock({ ...place, timeoutMs: 50 })).rejects.toMatchObject({ code: "LOCK_HELD" });
    expect(owner.child.exitCode).toBeNull();
  });
});

const SHIFTED = ["unshare", "--time", "--boottime", "100000", "--fork", "--kill-child"];
const canShift = spawnSync("unshare", [...SHIFTED.slice(1), "true"]).status === 0;
if (!canShift) process.stdout.write("skipped: this machine makes no time namespaces for us (unshare --time)\n");

describe.runIf(canShift)("an owner in a time namespace", () => {
  test("is the same process from both sides", async () => {
    const owner = await startOwner(SHIFTED);
    await expectOwned(owner);
    const { record } = await inspectGatewayLock(place);
    expect(record && judgeProcess(record)).toBe("alive");
    const print =
      "import('@lockkeeper/core/internal').then((core) => console.log(JSON.stringify(core.identifyProcess(+process.argv[1]))))";
    const { stdout } = spawnSync("unshare", [...SHIFTED.slice(1), process.execPath, "-e", print, String(process.pid)], {
      cwd: import.meta.dirname,
      encoding: "utf8",
    });
    expect(JSON.parse(stdout)).toEqual(identifyProcess(process.pid));
    expect(ownIdentity().pid).toBe(process.pid);
    await expectReclaimed(owner);
  });
});
