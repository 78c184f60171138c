/**
 * SECURITY 7, 11: a home, or a file in it, that somebody else controls is shown and never obeyed. Each place holds a run
 * record that names a living process of a stranger. Every command that acts would signal it if it believed the record.
 */
import { identifyProcess, judgeProcess } from "@lockkeeper/core/internal";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";

const asRoot = process.geteuid?.() === 0;
const STRANGER = 12_345;

const ACTING = [
  ["stop", "a"],
  ["stop", "--all"],
  ["restart", "a"],
  ["down"],
  ["start", "a"],
  ["start", "a", "--replace"],
  ["run", "a"],
  ["up"],
  ["create", "b"],
  ["clone", "a", "b"],
  ["rename", "a", "b"],
  ["remove", "a", "--yes"],
  ["restore", "a"],
  ["use", "a"],
  ["config", "set", "poolFirst", "20000"],
  ["token", "a"],
  ["env", "a"],
  ["exec", "a", "--", "true"],
] as const;
const LOOKING = [["list"], ["status", "a"]] as const;
/** A stop by name follows the keeper's record; the settings are another file. */
const ACTING_ON_REGISTRY = [
  ["stop", "--all"],
  ["down"],
  ["start", "a"],
  ["run", "a"],
  ["create", "b"],
  ["use", "a"],
  ["token", "a"],
];

let victim: ReturnType<typeof spawn>;
beforeEach(async () => {
  victim = spawn("sleep", ["1000"], { stdio: "ignore" });
  await once(victim, "spawn");
});
afterEach(() => void victim.kill("SIGKILL"));

/** Gives `use` a home with a stopped profile whose run record names a living stranger. */
async function withForgedHome(use: (scratch: ScratchHome, record: string) => Promise<void>): Promise<void> {
  await withScratchHome(async (scratch) => {
    await scratch.json(["create", "a"]);
    const identity = identifyProcess(victim.pid ?? 0);
    const record = path.join(scratch.home, "run/a.json");
    const text = JSON.stringify({
      v: 1,
      profile: "a",
      nonce: "0123456789abcdef0123456789abcdef",
      state: "running",
      reason: null,
      code: null,
      since: "2026-01-01T00:00:00.000Z",
      keeper: identity,
      gateway: identity,
      host: "127.0.0.1",
      port: 1,
      ports: { gateway: 1 },
      startedAt: "2026-01-01T00:00:00.000Z",
      health: "ok",
      restarts: 0,
      lastExit: null,
    });
    fs.writeFileSync(record, text, { mode: 0o600 });
    try {
      await use(scratch, record);
    } finally {
      makeOwn(scratch);
      fs.rmSync(record, { force: true });
    }
  });
}

/** Lets the scratch home be cleaned up whatever a place has made of it. */
function makeOwn({ folder, home }: ScratchHome): void {
  for (const each of ["run", "profiles"].map((name) => path.join(home, name))) {
    if (!fs.existsSync(`${each}.elsewhere`)) continue;
    fs.rmSync(each);
    fs.renameSync(`${each}.elsewhere`, each);
  }
  fs.chmodSync(folder, 0o700);
  for (const each of [folder, home, path.join(home, "run"), path.join(home, "profiles")]) {
    if (fs.lstatSync(each, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    fs.chmodSync(each, 0o700);
  }
  if (asRoot && fs.existsSync(home)) for (const each of [folder, home]) chownAll(each, 0);
}

interface Place {
  readonly name: string;
  readonly needsRoot?: true;
  readonly spoil: (scratch: ScratchHome) => void;
}

function inHome(name: string, spoil: (file: string) => void): Place["spoil"] {
  return ({ home }) => spoil(path.join(home, name));
}

function replaceByLink(file: string): void {
  fs.renameSync(file, `${file}.elsewhere`);
  fs.symlinkSync(`${file}.elsewhere`, file);
}

const places: readonly Place[] = [
  { name: "the home with mode 0777", spoil: inHome(".", (file) => fs.chmodSync(file, 0o777)) },
  { name: "a home in a folder with mode 0777", spoil: inHome("..", (file) => fs.chmodSync(file, 0o777)) },
  { name: "run/ with mode 0777", spoil: inHome("run", (file) => fs.chmodSync(file, 0o777)) },
  { name: "profiles/ with mode 0777", spoil: inHome("profiles", (file) => fs.chmodSync(file, 0o777)) },
  { name: "a link in the place of run/", spoil: inHome("run", replaceByLink) },
  { name: "a link in the place of profiles/", spoil: inHome("profiles", replaceByLink) },
  {
    name: "another user's home",
    needsRoot: true,
    spoil: inHome(".", (file) => chownAll(file)),
  },
  {
    name: "a home in another user's folder",
    needsRoot: true,
    spoil: inHome("..", (f) => fs.chownSync(f, STRANGER, 1)),
  },
  { name: "another user's run/", needsRoot: true, spoil: inHome("run", (file) => fs.chownSync(file, STRANGER, 1)) },
];

function chownAll(folder: string, to: number = STRANGER): void {
  fs.chownSync(folder, to, to);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    fs.lchownSync(path.join(entry.parentPath, entry.name), to, to);
  }
}

describe.each(places)("security 7, 11: $name", ({ needsRoot, spoil }) => {
  test.skipIf(needsRoot === true && !asRoot)(
    "commands that act are refused with 77 and signal nobody; list and status show it with one warning (needs root where it is another user's)",
    async () => {
      await withForgedHome(async (scratch) => {
        spoil(scratch);
        const before = fs.readFileSync(path.join(scratch.home, "registry.json"), "utf8");
        for (const args of ACTING) {
          const { status, stderr } = await scratch.run(args);
          expect({ args, status, stderr }).toEqual({
            args,
            status: 77,
            stderr: expect.stringContaining("unsafe path") as string,
          });
        }
        for (const args of LOOKING) {
          const { status, stdout, stderr } = await scratch.run(args);
          expect([0, 3]).toContain(status);
          expect(stdout).toContain("a");
          expect(stderr.match(/^warning: unsafe path: .* is only shown$/gm)).toHaveLength(1);
        }
        expect(fs.readFileSync(path.join(scratch.home, "registry.json"), "utf8")).toBe(before);
        const identity = identifyProcess(victim.pid ?? 0);
        expect(identity === undefined ? "gone" : judgeProcess(identity)).toBe("alive");
      });
    },
  );
});

describe("security 7: one file in a home of our own", () => {
  test.each([
    ["registry.json", ["use", "a"], 77],
    // An untrusted record counts as none, and then nothing runs.
    ["run/a.json", ["stop", "a"], 0],
    ["profiles/a/token", ["token", "a"], 77],
  ] as const)("%s that others can write is not trusted", async (name, args, expected) => {
    await withForgedHome(async (scratch) => {
      const file = path.join(scratch.home, name);
      fs.chmodSync(file, 0o666);
      const { status, stderr } = await scratch.run(args);
      fs.chmodSync(file, 0o600);
      expect({ status, stderr }).toMatchObject({ status: expected });
      if (status === 77) expect(stderr).toContain("0666");
      expect(victim.exitCode ?? victim.signalCode).toBe(null);
    });
  });
});

describe("a registry that others can write, in a home of our own", () => {
  test.each([
    ["mode 0666", (file: string): void => fs.chmodSync(file, 0o666)],
    ["another user's", (file: string): void => fs.chownSync(file, STRANGER, 1)],
  ])("is shown with one warning by commands that only look, and refused by those that act: %s", async (name, spoil) => {
    if (name !== "mode 0666" && !asRoot) return void process.stdout.write("skipped: only root gives files away\n");
    await withForgedHome(async (scratch) => {
      const file = path.join(scratch.home, "registry.json");
      spoil(file);
      const looks = [
        ["list", "a"],
        ["status", "a"],
        ["ports"],
        ["ports", "--explain", "20000"],
        ["why", "a"],
        ["url", "a"],
      ];
      for (const args of looks) {
        const { status, stderr } = await scratch.run(args);
        expect({ args, status: status === 3 ? 0 : status }).toEqual({ args, status: 0 });
        expect(stderr.match(/^warning: unsafe path: .* is only shown$/gm)).toHaveLength(1);
      }
      for (const args of ACTING_ON_REGISTRY) {
        const { status, stderr } = await scratch.run(args);
        expect({ args, status, stderr }).toMatchObject({ args, status: 77 });
      }
      expect((await scratch.run(["doctor"])).stdout).toContain("unsafe path");
      // A stop follows the keeper's record, and this record's keeper is a stranger.
      await scratch.mustRun(["stop", "a"]);
      fs.chmodSync(file, 0o600);
      if (asRoot) fs.chownSync(file, 0, 0);
      const identity = identifyProcess(victim.pid ?? 0);
      expect(identity === undefined ? "gone" : judgeProcess(identity)).toBe("alive");
    });
  });
});

test("security 7: a home that is the user's own link to the user's own folder is one home for create, start and list", async () => {
  await withScratchHome(async (scratch) => {
    const alias = path.join(scratch.folder, "alias");
    fs.symlinkSync(scratch.home, alias);
    const env = { LOCKKEEPER_HOME: alias };
    const port = String(await freePort());
    expect((await scratch.run(["create", "a", "--port", port], { env })).status).toBe(0);
    expect((await scratch.run(["start", "a"], { env })).status).toBe(0);
    expect(await scratch.json(["list"])).toMatchObject([{ name: "a", state: "running" }]);
    expect((await scratch.run(["stop", "a"], { env })).stderr).not.toContain("warning");
  });
});

test("security 7: doctor --fix changes no mode outside of the home through a link in it", async () => {
  await withScratchHome(async (scratch) => {
    await scratch.json(["create", "a"]);
    const shared = path.join(scratch.folder, "shared");
    fs.mkdirSync(path.join(shared, "a/logs"), { recursive: true });
    fs.chmodSync(path.join(shared, "a"), 0o755);
    const profiles = path.join(scratch.home, "profiles");
    fs.renameSync(profiles, `${profiles}.old`);
    fs.symlinkSync(shared, profiles);
    const { stdout } = await scratch.run(["doctor", "--fix", "--yes"]);
    expect(stdout).toContain(profiles);
    expect(fs.statSync(path.join(shared, "a")).mode & 0o777).toBe(0o755);
    expect(fs.statSync(path.join(shared, "a/logs")).mode & 0o777).toBe(0o755);
    fs.rmSync(profiles);
    fs.renameSync(`${profiles}.old`, profiles);
    fs.chmodSync(path.join(profiles, "a"), 0o755);
    expect((await scratch.run(["doctor", "--fix", "--yes"])).stdout).not.toContain("mode-loose");
    expect(fs.statSync(path.join(profiles, "a")).mode & 0o777).toBe(0o700);
  });
});

test("security 2, 7: a token that others can read, or a weak one, starts nothing, and the exit status says which it is", async () => {
  await withScratchHome(async (scratch) => {
    await scratch.json(["create", "a"]);
    const token = path.join(scratch.home, "profiles/a/token");
    fs.chmodSync(token, 0o644);
    expect(await scratch.run(["start", "a"])).toMatchObject({
      status: 77,
      stderr: expect.stringContaining("0644") as string,
    });
    fs.chmodSync(token, 0o600);
    fs.writeFileSync(token, "short\n");
    expect(await scratch.run(["start", "a"])).toMatchObject({ status: 2 });
  });
});

test("security 8: no command that acts follows a link in place of a profile's folder, or of a folder inside it", async () => {
  await withScratchHome(async (scratch) => {
    await scratch.json(["create", "a"]);
    for (const name of ["profiles/a", "profiles/a/config"]) {
      const folder = path.join(scratch.home, name);
      fs.renameSync(folder, path.join(scratch.folder, "elsewhere"));
      fs.symlinkSync(path.join(scratch.folder, "elsewhere"), folder);
      for (const args of [
        ["start", "a"],
        ["config", "set", "heartbeatMs", "5000", "--profile", "a"],
        ["rename", "a", "c"],
      ]) {
        expect({ name, args, ...(await scratch.run(args)) }).toMatchObject({ name, args, status: 77 });
      }
      fs.rmSync(folder);
      fs.renameSync(path.join(scratch.folder, "elsewhere"), folder);
    }
  });
});
