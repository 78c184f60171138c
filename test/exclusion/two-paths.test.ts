/**
 * One home under two paths has one lock: a bind mount, a folder that was moved and linked, a view through FUSE. A lock
 * that release 0.1.0 holds under another path's name counts as well.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import type { LockPlace } from "@lockkeeper/core";
import { acquireGatewayLock, inspectGatewayLock } from "@lockkeeper/core";
import { lookAtKernelLocks, sweepGatewayLock } from "@lockkeeper/core/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { endPrograms, launch, startProgram } from "./programs.ts";

let home: string;
let place: LockPlace;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-paths-"));
  place = placeIn(join(home, "first"));
  mkdirSync(join(home, "first"));
  mkdirSync(join(home, "second"));
});

afterEach(async () => {
  await endPrograms();
  spawnSync("fusermount3", ["-u", join(home, "second")]);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

function placeIn(root: string, config = "config/gateway.json"): LockPlace {
  return { lockDir: join(root, "lock"), configPath: join(root, config), scope: "directory" };
}

const startOwner = (of: LockPlace, under: readonly string[] = []): ReturnType<typeof startProgram> =>
  startProgram({ name: "owner.js", args: [JSON.stringify(of)], under });

/** Checks that a second owner there, a process under `under`, is refused and that the lock counts as held. */
async function expectRefused(at: LockPlace, under: readonly string[] = []): Promise<void> {
  const second = launch({ name: "owner.js", args: [JSON.stringify({ ...at, timeoutMs: 100 })], under });
  await expect(second.line("ready")).rejects.toThrow("gateway already running");
}

/** Makes `home/second` another view of `home/first` in a mount namespace of its own. */
function throughBindMount(): readonly string[] {
  const script = 'mount --bind "$0/first" "$0/second" && "$@"; exit $?';
  return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script, home];
}

const mountFuse = (): boolean => spawnSync("bindfs", [join(home, "first"), join(home, "second")]).status === 0;

const canMount = spawnSync("unshare", ["--mount", "sh", "-c", "mount --bind /mnt /mnt"]).status === 0;
if (!canMount) process.stdout.write("skipped: this machine lets us mount nothing (unshare --mount)\n");

describe("a home under two paths has one owner", () => {
  test.runIf(canMount)("by a bind mount, whichever path is first", async () => {
    const owner = await startOwner(place);
    await expectRefused(placeIn(join(home, "second")), throughBindMount());
    owner.kill("SIGKILL");
    await owner.exited();
    await startOwner(placeIn(join(home, "second")), throughBindMount());
    await expectRefused(place);
    expect(lookAtKernelLocks().ask(place)).toMatchObject({ verdict: "held" });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held" });
  });

  test("after it was moved and linked", async () => {
    const owner = await startOwner(place);
    renameSync(join(home, "first"), join(home, "moved"));
    symlinkSync(join(home, "moved"), join(home, "first"));
    await expectRefused(place);
    await expectRefused(placeIn(join(home, "moved")));
    expect(await sweepGatewayLock(placeIn(join(home, "moved")))).toBe("held");
    owner.kill("SIGKILL");
    await owner.exited();
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "stale" });
    const lock = await acquireGatewayLock(place);
    await lock.release();
    expect(readdirSync(place.lockDir)).toEqual([]);
  });

  test("by a view through FUSE, where only the process can be recognized", async ({ skip }) => {
    if (!mountFuse()) {
      process.stdout.write("skipped: no bindfs here\n");
      skip();
    }
    const owner = await startOwner(place);
    const view = placeIn(join(home, "second"));
    await expectRefused(view);
    expect(lookAtKernelLocks().ask(view)).toMatchObject({ verdict: "held" });
    owner.kill("SIGKILL");
    await owner.exited();
    const lock = await acquireGatewayLock(view);
    await lock.release();
  });
});

/** The lock file of release 0.1.0, which named it after the real path. */
function earlierFile(of: LockPlace, config = of.configPath): string {
  return join(of.lockDir, `gateway.${createHash("sha256").update(config).digest("hex").slice(0, 8)}.lock`);
}

/** 2^44 and the FNV-1a hash of the file's name, as in the source of 0.1.0. */
function earlierMarkOffset(): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(basename(earlierFile(place)))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return 2 ** 44 + hash;
}

/** A process that holds that file by the kernel lock, as 0.1.0 would; prints `held`. */
async function holdFile(path: string, record = "{}"): Promise<ReturnType<typeof launch>> {
  writeFileSync(path, record, { mode: 0o600 });
  const holder = launch({ name: "holds-file.js", args: [path] });
  await holder.line("held");
  return holder;
}

describe("a lock of release 0.1.0", () => {
  beforeEach(() => mkdirSync(place.lockDir, { mode: 0o700 }));

  test("under this path's name excludes, and is taken over when its owner is dead", async () => {
    const holder = await holdFile(earlierFile(place));
    await expectRefused(place);
    expect(lookAtKernelLocks().ask(place)).toMatchObject({ verdict: "held", path: earlierFile(place) });
    holder.kill("SIGKILL");
    await holder.exited();
    let reason = "";
    const lock = await acquireGatewayLock({ ...place, onReclaim: (text) => (reason = text) });
    expect(reason).toContain("nobody holds its lock");
    // One file for each lock: from here on a mark keeps owners of 0.1.0 out.
    expect(readdirSync(place.lockDir)).toHaveLength(process.platform === "linux" ? 1 : 2);
    await lock.release();
    expect(readdirSync(place.lockDir)).toEqual([]);
  });

  test("under another path's name excludes, and is swept when its owner is dead", async () => {
    const other = earlierFile(place, "/srv/home/config/gateway.json");
    const holder = await holdFile(other);
    await expectRefused(place);
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held", path: other });
    holder.kill("SIGKILL");
    await holder.exited();
    const lock = await acquireGatewayLock(place);
    expect(existsSync(other)).toBe(false);
    await lock.release();
  });

  test.runIf(process.platform === "linux")("finds the mark that it looks for while a new owner lives", async () => {
    const lock = await acquireGatewayLock(place);
    const { ino } = statSync(place.lockDir);
    // What 0.1.0 does: it counts the marks on the directory at the byte for its own file's name.
    const marks = (): number =>
      readFileSync("/proc/locks", "utf8")
        .split("\n")
        .filter((line) => line.includes(`:${ino} ${earlierMarkOffset()} `)).length;
    expect(marks()).toBe(1);
    await lock.release();
    expect(marks()).toBe(0);
  });
});

describe("a directory with the locks of several configs", () => {
  test("has one owner for each config", async () => {
    const a = { ...placeIn(join(home, "first"), "a.json"), scope: "config" } as const;
    const b = { ...placeIn(join(home, "first"), "b.json"), scope: "config" } as const;
    const locks = [await acquireGatewayLock(a), await acquireGatewayLock(b)];
    expect(await inspectGatewayLock({ ...a, configPath: join(home, "first", "c.json") })).toMatchObject({
      verdict: "free",
    });
    for (const lock of locks) await lock.release();
  });

  test("has one owner for a config that another name of its lock declares to be the same", async () => {
    const config = { ...place, scope: "config" } as const;
    mkdirSync(place.lockDir, { mode: 0o700 });
    mkdirSync(join(home, "first", "config"));
    writeFileSync(config.configPath, "{}");
    const other = join(place.lockDir, "gateway.00000000.lock");
    const record = { v: 1, mechanism: "kernel", pid: 4_000_000, nonce: "0".repeat(32), configPath: config.configPath };
    const holder = await holdFile(other, JSON.stringify(record));
    await expectRefused(config);
    await expectRefused({ ...config, configPath: join(home, "first", "lock", "..", "config", "gateway.json") });
    const neighbour = await acquireGatewayLock({ ...config, configPath: join(home, "first", "other.json") });
    await neighbour.release();
    expect(existsSync(other)).toBe(true);
    holder.kill("SIGKILL");
    await holder.exited();
    await (await acquireGatewayLock(config)).release();
  });
});
