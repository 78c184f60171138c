/** How a process is identified on hosts that show less than this one. The test replaces the answers of system calls. */
import type * as childProcess from "node:child_process";
import type * as fs from "node:fs";

import { afterEach, describe, expect, test, vi } from "vitest";

import type * as ProcessIdentity from "../../src/host/process-identity.ts";

const THIS_PLATFORM = process.platform;

type Answers = Readonly<Record<string, string | { readonly errno: string }>>;

/** The answers of a host; anything it does not name comes from this host. */
interface Host {
  readonly platform?: NodeJS.Platform;
  readonly files?: Answers;
  readonly links?: Answers;
  readonly programs?: Answers;
  /** The answer of signal 0 for every process. */
  readonly signal?: "sent" | "EPERM" | "ESRCH";
}

function failing(errno: string): Error {
  return Object.assign(new Error(errno), { code: errno });
}

function answer(named: Answers | undefined, path: string, real: () => unknown): unknown {
  const told = named?.[path];
  if (told === undefined) return real();
  if (typeof told === "string") return told;
  throw failing(told.errno);
}

/** Returns the module as it is on that host, and the programs that it calls. */
async function on(host: Host): Promise<{ module: typeof ProcessIdentity; calls: readonly unknown[][] }> {
  const calls: unknown[][] = [];
  vi.resetModules();
  vi.doMock("node:fs", async (importOriginal) => {
    const real = await importOriginal<typeof fs>();
    return {
      ...real,
      readFileSync: (path: string, options: BufferEncoding) =>
        answer(host.files, path, () => real.readFileSync(path, options)),
      readlinkSync: (path: string) => answer(host.links, path, () => real.readlinkSync(path)),
    };
  });
  const execFileSync = (...call: unknown[]): unknown => {
    calls.push(call);
    return answer(host.programs, String(call[0]), () => {
      throw failing("ENOENT");
    });
  };
  vi.doMock("node:child_process", async (importOriginal) => ({
    ...(await importOriginal<typeof childProcess>()),
    execFileSync,
  }));
  if (host.signal !== undefined) {
    vi.spyOn(process, "kill").mockImplementation(() => {
      if (host.signal === "sent") return true;
      throw failing(host.signal ?? "EPERM");
    });
  }
  Object.defineProperty(process, "platform", { value: host.platform ?? THIS_PLATFORM });
  return { module: await import("../../src/host/process-identity.ts"), calls };
}

afterEach(() => {
  Object.defineProperty(process, "platform", { value: THIS_PLATFORM });
  vi.doUnmock("node:fs");
  vi.doUnmock("node:child_process");
  vi.restoreAllMocks();
});

const STAT = "/proc/4711/stat";
const STATUS = "/proc/4711/status";

/** Source: proc_pid_stat(5). */
function statOf(state: string, start: string, exitSignal = "17"): string {
  return `4711 (x) ${state} 1 4711 4711 ${"0 ".repeat(12)}0 1 0 ${start} ${"0 ".repeat(15)}${exitSignal} 0`;
}

/** Returns what that host says about process 4711. */
async function identified(files: Answers): Promise<unknown> {
  return (await on({ files })).module.identifyProcess(4711);
}

describe.runIf(THIS_PLATFORM === "linux")("where /proc hides the processes of others", () => {
  test.each([
    ["ENOENT", "EPERM", "unknown"],
    ["ENOENT", "sent", "unknown"],
    ["ENOENT", "ESRCH", "gone"],
    ["ESRCH", "sent", "gone"],
    ["EACCES", "ESRCH", "unknown"],
  ] as const)("reading says %s and a signal %s: %s", async (errno, signal, verdict) => {
    const { module } = await on({ files: { [STAT]: { errno } }, signal });
    const { bootId, pidNamespace } = module.ownIdentity();
    const identity = { pid: 4711, startTicks: 5, bootId, pidNamespace };
    expect(module.judgeProcess(identity)).toBe(verdict);
    const seen = verdict === "gone" ? undefined : { ...identity, startTicks: null };
    expect(module.identifyProcess(4711)).toEqual(seen);
  });

  test("a recorded process is hidden here only under its pid, in this namespace and since this boot", async () => {
    const { module } = await on({ files: { [STAT]: { errno: "ENOENT" } }, signal: "EPERM" });
    const { bootId, pidNamespace } = module.ownIdentity();
    const identity = { pid: 4711, startTicks: 5, bootId, pidNamespace };
    expect(module.isHiddenHere(identity)).toBe(true);
    for (const change of [{ bootId: null }, { bootId: "before" }, { pidNamespace: "1" }, { pid: 0 }]) {
      expect({ change, hidden: module.isHiddenHere({ ...identity, ...change }) }).toEqual({ change, hidden: false });
    }
    expect(module.isHiddenHere(module.ownIdentity())).toBe(false);
  });

  test("without a boot id no process is called hidden here", async () => {
    const bootId = { "/proc/sys/kernel/random/boot_id": { errno: "ENOENT" } };
    const { module } = await on({ files: { [STAT]: { errno: "ENOENT" }, ...bootId }, signal: "EPERM" });
    const { pidNamespace } = module.ownIdentity();
    expect(module.isHiddenHere({ pid: 4711, startTicks: 5, bootId: null, pidNamespace })).toBe(false);
  });

  test("a process without a readable start is hidden, and one that ended does not exist", async () => {
    expect(await identified({ [STAT]: statOf("S", "77") })).toMatchObject({ pid: 4711, startTicks: 77 });
    expect(await identified({ [STAT]: statOf("S", "soon") })).toMatchObject({ pid: 4711, startTicks: null });
    expect(await identified({ [STAT]: statOf("Z", "77") })).toBeUndefined();
  });

  test("an id is a thread's unless the signal of its end, or else its status, shows a process", async () => {
    const [own, other] = ["Name:\tx\nTgid:\t4711\nPid:\t4711\n", "Name:\tx\nTgid:\t4700\nPid:\t4711\n"];
    expect(await identified({ [STAT]: statOf("S", "77", "17"), [STATUS]: { errno: "EIO" } })).toMatchObject({
      pid: 4711,
      startTicks: 77,
    });
    for (const unclear of ["0", "-1", ""]) {
      expect(await identified({ [STAT]: statOf("S", "77", unclear), [STATUS]: own })).toMatchObject({
        pid: 4711,
        startTicks: 77,
      });
      expect(await identified({ [STAT]: statOf("S", "77", unclear), [STATUS]: other })).toBeUndefined();
      expect(await identified({ [STAT]: statOf("S", "77", unclear), [STATUS]: { errno: "ESRCH" } })).toBeUndefined();
      expect(await identified({ [STAT]: statOf("S", "77", unclear), [STATUS]: { errno: "EIO" } })).toMatchObject({
        pid: 4711,
        startTicks: null,
      });
    }
  });

  test("our own identity is known although /proc hides us", async () => {
    const { module } = await on({ files: { [`/proc/${process.pid}/stat`]: { errno: "ENOENT" } } });
    expect(module.ownIdentity()).toMatchObject({
      pid: process.pid,
      startTicks: null,
      bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      pidNamespace: expect.stringMatching(/^\d+$/),
    });
  });
});

describe.runIf(THIS_PLATFORM === "linux")("where /proc is of another pid namespace, or missing", () => {
  test.each<[string, Answers]>([
    ["another pid", { "/proc/self": "1234567" }],
    ["nothing", { "/proc/self": { errno: "ENOENT" } }],
    ["no namespace", { "/proc/self/ns/pid": { errno: "ENOENT" } }],
    ["a namespace of another form", { "/proc/self/ns/pid": "the pid:[1] of old" }],
    ["a namespace and more", { "/proc/self/ns/pid": "pid:[1]x" }],
    ["more and a namespace", { "/proc/self/ns/pid": "xpid:[1]" }],
  ])("with %s in its place, only a signal is trusted", async (_, links) => {
    const { module } = await on({ links, signal: "EPERM" });
    const { bootId } = module.ownIdentity();
    expect(module.ownIdentity()).toEqual({ pid: process.pid, startTicks: null, bootId, pidNamespace: null });
    expect(bootId).toMatch(/^[0-9a-f-]{36}$/);
    expect(module.judgeProcess({ pid: process.pid, startTicks: 5, bootId, pidNamespace: null })).toBe("unknown");
    expect(module.judgeProcess({ pid: process.pid, startTicks: 5, bootId: "before", pidNamespace: null })).toBe("gone");
  });

  test("without a boot id no process counts as one of another boot", async () => {
    const files = { "/proc/sys/kernel/random/boot_id": { errno: "ENOENT" } };
    const { module } = await on({ files });
    const own = module.ownIdentity();
    expect(own.bootId).toBeNull();
    expect(module.judgeProcess({ ...own, bootId: "before" })).toBe("alive");
    expect(module.judgeProcess(own)).toBe("unknown");
  });

  test("a process is in our namespace only when /proc shows it", async () => {
    const path = "/proc/4711/ns/pid";
    const { module } = await on({ links: { [path]: "pid:[1]" } });
    expect(module.isInOwnNamespace(process.pid)).toBe(true);
    expect(module.isInOwnNamespace(4711)).toBe(false);
    expect((await on({ links: { [path]: { errno: "EACCES" } } })).module.isInOwnNamespace(4711)).toBe(false);
    expect((await on({ platform: "darwin" })).module.isInOwnNamespace(4711)).toBe(true);
  });
});

describe("on macOS", () => {
  const SYSCTL = "/usr/sbin/sysctl";
  const PS = "/bin/ps";
  const programs = { [SYSCTL]: "B007-1\n", [PS]: "  Ss   Thu Nov  6 06:30:05 2025    \n" };
  const startTicks = Date.UTC(2025, 10, 6, 6, 30, 5) / 1_000;

  test("the start time from ps and the boot session are the identity", async () => {
    const { module, calls } = await on({ platform: "darwin", programs });
    const identity = { pid: 4711, startTicks, bootId: "B007-1", pidNamespace: null };
    expect(module.identifyProcess(4711)).toEqual(identity);
    expect(module.judgeProcess(identity)).toBe("alive");
    expect(module.judgeProcess({ ...identity, startTicks: startTicks - 1 })).toBe("gone");
    expect(module.judgeProcess({ ...identity, bootId: "B006" })).toBe("gone");
    expect(module.isPaused(process.pid)).toBe(false);
    // Language and zone are fixed for the parser, and a hanging ps must not hang us.
    const options = { encoding: "latin1", env: { LC_ALL: "C", TZ: "UTC0" }, timeout: 2_000 };
    expect(calls).toContainEqual([PS, ["-o", "stat=,lstart=", "-p", "4711"], options]);
    expect(calls).toContainEqual([SYSCTL, ["-n", "kern.bootsessionuuid"], { encoding: "latin1", timeout: 2_000 }]);
    expect(calls.filter(([program]) => program === SYSCTL)).toHaveLength(1);
  });

  test("the highest possible pid is asked for, and none above it", async () => {
    const { module } = await on({ platform: "darwin", programs });
    expect(module.identifyProcess(4_194_304)).toMatchObject({ startTicks });
    expect(module.identifyProcess(4_194_305)).toBeUndefined();
  });

  test("a zombie does not exist, and an unreadable time is not reported", async () => {
    const zombie = await on({ platform: "darwin", programs: { ...programs, [PS]: "  Z+ Thu Nov  6 06:30:05 2025" } });
    expect(zombie.module.identifyProcess(4711)).toBeUndefined();
    expect(zombie.module.judgeProcess({ ...zombie.module.ownIdentity(), pid: 4711 })).toBe("gone");
    const odd = await on({ platform: "darwin", programs: { ...programs, [PS]: "S ?" } });
    expect(odd.module.identifyProcess(4711)).toMatchObject({ startTicks: null });
  });

  test("without ps a signal decides; without sysctl no boot counts as another", async () => {
    const alive = await on({ platform: "darwin", programs: {}, signal: "EPERM" });
    expect(alive.module.identifyProcess(4711)).toEqual({
      pid: 4711,
      startTicks: null,
      bootId: null,
      pidNamespace: null,
    });
    const dead = await on({ platform: "darwin", programs: {}, signal: "ESRCH" });
    expect(dead.module.identifyProcess(4711)).toBeUndefined();
  });
});

test("on any other system a signal is the only evidence", async () => {
  const { module, calls } = await on({ platform: "freebsd", signal: "sent" });
  expect(module.identifyProcess(4711)).toEqual({ pid: 4711, startTicks: null, bootId: null, pidNamespace: null });
  expect(calls).toEqual([]);
});
