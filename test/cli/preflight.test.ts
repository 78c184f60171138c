/**
 * A running gateway is never stopped for a start that cannot succeed; doctor, create and edit report the same fault
 * earlier.
 */
import {
  chmod,
  chown,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

const SERVER =
  'require("node:http").createServer((_, answer) => answer.end("ok")).listen(process.env.PORT, "127.0.0.1")';

interface Case {
  readonly what: string;
  readonly breakIt: (folder: string) => Promise<void>;
  readonly mendIt: (folder: string) => Promise<void>;
  readonly code: string;
  readonly says: string;
}

const cases: readonly Case[] = [
  {
    what: "env file open to others",
    breakIt: (folder) => chmod(path.join(folder, "api.env"), 0o644),
    mendIt: (folder) => chmod(path.join(folder, "api.env"), 0o600),
    code: "UNSAFE_PATH",
    says: "is open to others (mode 0644)",
  },
  {
    what: "env file missing",
    breakIt: (folder) => rename(path.join(folder, "api.env"), path.join(folder, "moved.env")),
    mendIt: (folder) => rename(path.join(folder, "moved.env"), path.join(folder, "api.env")),
    code: "OPTION_INVALID",
    says: "the env file is missing",
  },
  {
    what: "env file that cannot be read any more",
    breakIt: (folder) => writeFile(path.join(folder, "api.env"), "A = 1\n"),
    mendIt: (folder) => writeFile(path.join(folder, "api.env"), "A=1\n"),
    code: "OPTION_INVALID",
    says: "line 1: there is a blank before the =",
  },
  {
    what: "program moved",
    breakIt: (folder) => rename(path.join(folder, "bin"), path.join(folder, "bin-2")),
    mendIt: (folder) => rename(path.join(folder, "bin-2"), path.join(folder, "bin")),
    code: "COMMAND_NOT_FOUND",
    says: "command not found",
  },
  {
    what: "program no longer executable",
    breakIt: (folder) => chmod(path.join(folder, "bin/server"), 0o644),
    mendIt: (folder) => chmod(path.join(folder, "bin/server"), 0o755),
    code: "COMMAND_NOT_FOUND",
    says: "may not be run by this user",
  },
  {
    what: "interpreter of the program gone",
    breakIt: (folder) => rm(path.join(folder, "node")),
    mendIt: (folder) => symlink(process.execPath, path.join(folder, "node")),
    code: "COMMAND_NOT_FOUND",
    says: "the interpreter of",
  },
  {
    what: "working directory deleted",
    breakIt: (folder) => rm(path.join(folder, "work"), { recursive: true }),
    mendIt: async (folder) => void (await mkdir(path.join(folder, "work"))),
    code: "COMMAND_NOT_FOUND",
    says: "the working directory of api is missing",
  },
];

async function startApi({ folder, run }: ScratchHome): Promise<void> {
  await mkdir(path.join(folder, "bin"));
  await mkdir(path.join(folder, "work"));
  await symlink(process.execPath, path.join(folder, "node"));
  await writeFile(path.join(folder, "bin/server"), `#!${folder}/node\n${SERVER}\n`, { mode: 0o755 });
  await writeFile(path.join(folder, "api.env"), "A=1\n", { mode: 0o600 });
  const options = ["--cwd", path.join(folder, "work"), "--env-file", path.join(folder, "api.env")];
  const program = path.join(folder, "bin/server");
  expect(await run(["create", "api", ...options, "--", program])).toMatchObject({ status: 0 });
  expect(await run(["start", "api"])).toMatchObject({ status: 0 });
}

async function pidOf({ json }: ScratchHome): Promise<number | null> {
  return ((await json(["status", "api"])) as { pid: number | null }).pid;
}

/** Files of the profile itself that a start refuses. */
const spoiled: readonly (Pick<Case, "what" | "says"> & {
  readonly file: "token" | "logs/gateway.log";
  readonly spoil: (file: string) => Promise<void>;
})[] = [
  {
    what: "token open to others",
    file: "token",
    spoil: (file) => chmod(file, 0o644),
    says: "is open to others (mode 0644)",
  },
  { what: "token with a second name", file: "token", spoil: (file) => link(file, `${file}.too`), says: "has 2 names" },
  { what: "weak token", file: "token", spoil: (file) => writeFile(file, "short"), says: "cannot be used" },
  { what: "no token", file: "token", spoil: (file) => rm(file), says: "there is no token" },
  {
    what: "log with a second name",
    file: "logs/gateway.log",
    spoil: (file) => link(file, `${file}.too`),
    says: "has 2 names",
  },
  {
    what: "link in place of the log",
    file: "logs/gateway.log",
    spoil: async (file) => {
      await rm(file);
      await symlink(`${file}.saved`, file);
    },
    says: "is a symbolic link",
  },
];

test("restart refuses a spoiled token or log of the profile, and the running gateway continues", async () => {
  await withScratchHome(async (scratch) => {
    const { run, json } = scratch;
    expect(await run(["create", "api"])).toMatchObject({ status: 0 });
    expect(await run(["start", "api"])).toMatchObject({ status: 0 });
    const { paths } = (await json(["status", "api"])) as { paths: { profile: string } };
    const pid = await pidOf(scratch);
    for (const { what, file, spoil, says } of spoiled) {
      const place = path.join(paths.profile, file);
      await copyFile(place, `${place}.saved`);
      await chmod(`${place}.saved`, 0o600);
      await spoil(place);
      const refused = await run(["restart", "api"]);
      expect(refused.stderr, what).toContain("it was not stopped and still runs");
      expect(refused.stderr, what).toContain(says);
      expect(await pidOf(scratch), what).toBe(pid);
      const doctor = await run(["doctor", "--json"]);
      expect(doctor, what).toMatchObject({ status: 1 });
      const { findings } = JSON.parse(doctor.stdout) as { findings: { command: string | null; hint: string | null }[] };
      for (const { command, hint } of findings) {
        if (command === null) expect(hint, what).not.toBeNull();
        else expect(command, what).toMatch(/^(?:lockkeeper|chmod|cp|ls|mv|rm) /);
      }
      await rm(`${place}.too`, { force: true });
      await rm(place, { force: true });
      await rename(`${place}.saved`, place);
    }
    expect(await run(["restart", "api"])).toMatchObject({ status: 0 });
    expect(await pidOf(scratch)).not.toBe(pid);
    expect(await run(["stop", "api"])).toMatchObject({ status: 0 });
  });
});

/** Enough for a command, and too few for a keeper. */
const FEW_FILES = 'ulimit -n 28; exec "$@"';

test.runIf(process.platform === "linux")(
  "nothing that starts a gateway again stops it where a keeper may open too few files, and no keeper begins there",
  async () => {
    await withScratchHome(async (scratch) => {
      const { home, folder, run, mustRun, json } = scratch;
      const withFew = (...args: readonly string[]): { readonly status: number | null; readonly code: unknown } => {
        const argv = ["-c", FEW_FILES, "sh", process.execPath, CLI_ENTRY, ...args, "--json"];
        const env = bareEnvironment(home);
        const { status, stderr } = spawnSync("/bin/sh", argv, { encoding: "utf8", env, cwd: folder });
        const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
        return { status, code: error.message.includes("a process may have only 28 here") ? error.code : error.message };
      };
      const refused = { status: 74, code: "IO_FAILED" };
      const file = path.join(folder, "lockkeeper.json");
      const write = (A: string): Promise<void> =>
        writeFile(file, JSON.stringify({ profiles: { api: { env: { A } } } }));
      await write("1");
      await mustRun(["apply", "--yes"], { cwd: folder });
      await mustRun(["start", "api"]);
      await write("2");
      const pid = await pidOf(scratch);
      for (const args of [
        ["restart", "api"],
        ["clone", "api", "two", "--stop"],
        ["apply", "--yes"],
      ])
        expect({ args, ...withFew(...args) }).toEqual({ args, ...refused });
      expect(await json(["status", "api"])).toMatchObject({ state: "running", pid });
      await mustRun(["stop", "api"]);
      for (const verb of ["start", "restart", "run"])
        expect({ verb, ...withFew(verb, "api") }).toEqual({ verb, ...refused });
      expect(await run(["status", "api", "--json"])).toMatchObject({ status: 3 });
      await mustRun(["start", "api"]);
    });
  },
);

/** Mounts a disk of 64 KiB; false where that is not allowed. */
function mountSmall(disk: string): boolean {
  return spawnSync("mount", ["-t", "tmpfs", "-o", "mode=700,size=64k", "tmpfs", disk]).status === 0;
}

test("restart refuses a full and a read-only disk, and the running gateway continues; doctor says so once", async (context) => {
  await withScratchHome(async (scratch) => {
    const { home, run, mustRun } = scratch;
    for (const name of ["api", "web"]) await mustRun(["create", name]);
    const disks = [path.join(home, "profiles/api/lock"), path.join(home, "run")] as const;
    const [locks, records] = disks;
    for (const disk of disks) await mkdir(disk, { recursive: true, mode: 0o700 });
    try {
      context.skip(!disks.every(mountSmall), "this machine lets us mount nothing");
      for (const name of ["api", "web"]) await mustRun(["start", name]);
      const pid = await pidOf(scratch);
      const filler = path.join(locks, "filler");
      await writeFile(filler, Buffer.alloc(64 * 1024)).catch(() => undefined);
      const refused = await run(["restart", "api", "--json"]);
      expect({ status: refused.status, error: JSON.parse(refused.stderr) as unknown }).toMatchObject({
        status: 74,
        error: { error: { code: "DISK_FULL", message: expect.stringContaining("it was not stopped and still runs") } },
      });
      expect(await pidOf(scratch)).toBe(pid);
      await rm(filler);
      // Refused while a keeper writes.
      const remount = (): number | null => spawnSync("mount", ["-o", "remount,ro", records]).status;
      await until("the disk is read-only", () => remount() === 0);
      expect(await run(["restart", "api", "--json"])).toMatchObject({
        status: 74,
        stderr: expect.stringContaining('"DISK_READ_ONLY"'),
      });
      expect(await pidOf(scratch)).toBe(pid);
      const { findings } = JSON.parse((await run(["doctor", "--json"])).stdout) as { findings: { code: string }[] };
      const about = findings.map(({ code }) => code).filter((code) => /^(?:home|next-start)-/.test(code));
      expect(about).toEqual(["home-not-writable"]);
      spawnSync("mount", ["-o", "remount,rw", records]);
      await mustRun(["restart", "api"]);
      expect(await pidOf(scratch)).not.toBe(pid);
      await mustRun(["down"]);
    } finally {
      for (const disk of disks) spawnSync("umount", ["--lazy", disk]);
    }
  });
});

describe.concurrent("restart refuses, and the running gateway continues", () => {
  test.each(cases)("$what", async ({ breakIt, mendIt, code, says }) => {
    await withScratchHome(async (scratch) => {
      const { folder, run } = scratch;
      await startApi(scratch);
      const pid = await pidOf(scratch);
      await breakIt(folder);
      const refused = await run(["restart", "api", "--json"]);
      const { error } = JSON.parse(refused.stderr) as { error: { code: string; message: string } };
      expect(error).toMatchObject({ code, message: expect.stringContaining("it was not stopped and still runs") });
      expect(error.message).toContain(says);
      expect(await pidOf(scratch)).toBe(pid);
      const doctor = await run(["doctor", "--json"]);
      expect(doctor.status).toBe(1);
      const { findings } = JSON.parse(doctor.stdout) as { findings: { code: string; weight: string; title: string }[] };
      const found = findings.find((finding) => finding.code.startsWith("next-start-"));
      expect(found).toMatchObject({ weight: "error", title: expect.stringContaining(says) });
      await mendIt(folder);
      expect(await run(["restart", "api"])).toMatchObject({ status: 0 });
      expect(await pidOf(scratch)).not.toBe(pid);
    });
  });

  test("config of a built-in gateway that is not JSON", async () => {
    await withScratchHome(async (scratch) => {
      const { home, run } = scratch;
      expect(await run(["up", "api"])).toMatchObject({ status: 0 });
      const pid = await pidOf(scratch);
      await writeFile(path.join(home, "profiles/api/config/gateway.json"), "{broken", { mode: 0o600 });
      expect((await run(["restart", "api"])).status).toBe(65);
      expect(await pidOf(scratch)).toBe(pid);
    });
  });

  test("address that this machine no longer has", async () => {
    await withScratchHome(async (scratch) => {
      const { home, run } = scratch;
      expect(await run(["up", "api"])).toMatchObject({ status: 0 });
      const registry = path.join(home, "registry.json");
      await writeFile(registry, (await readFile(registry, "utf8")).replaceAll("127.0.0.1", "192.0.2.77"));
      const refused = await run(["restart", "api", "--json"]);
      expect(refused.stderr).toContain("cannot listen on 192.0.2.77");
      await writeFile(registry, (await readFile(registry, "utf8")).replaceAll("192.0.2.77", "127.0.0.1"));
      expect(await pidOf(scratch)).not.toBeNull();
    });
  });

  test("a restart by root of another user's profile leaves no file of root's", async (context) => {
    context.skip(process.geteuid?.() !== 0, "only root can give a home away");
    await withScratchHome(async (scratch) => {
      const { home, run } = scratch;
      expect(await run(["up", "api"])).toMatchObject({ status: 0 });
      const pid = await pidOf(scratch);
      // A keeper writes its record anew when somebody has touched it, and this one is root's.
      const { keeperPid } = (await scratch.json(["status", "api"])) as { keeperPid: number };
      process.kill(keeperPid, "SIGSTOP");
      const everything = async (): Promise<readonly string[]> => [
        home,
        ...(await readdir(home, { recursive: true })).map((name) => path.join(home, name)),
      ];
      for (const file of await everything()) await chown(file, 4_242, 4_242);
      const refused = await run(["restart", "api", "--json"]);
      for (const file of await everything()) {
        const { uid } = await lstat(file);
        await chown(file, 0, 0);
        expect({ file, uid }).toEqual({ file, uid: 4_242 });
      }
      process.kill(keeperPid, "SIGCONT");
      expect(refused.status).toBe(77);
      expect(refused.stderr).toContain("sudo -u");
      expect(refused.stderr).not.toContain("Move it away");
      expect(await pidOf(scratch)).toBe(pid);
    });
  });
});

test("create and edit warn of what the next start will lack", async () => {
  await withScratchHome(async ({ run, folder }) => {
    const created = await run(["create", "api", "--env", "PORT=1234", "--", "no-such-program"]);
    expect(created.status).toBe(0);
    expect(created.stderr).toContain("warning: command not found: no-such-program");
    expect(created.stderr).toContain("warning: PORT=1234 is no port of api");
    const edited = await run(["edit", "api", "--unset", "env.PORT", "--", "./missing"]);
    expect(edited).toMatchObject({ status: 0, stderr: expect.stringContaining(`${folder}/missing is not there`) });
    expect(edited.stderr).not.toContain("PORT=");
    expect((await run(["edit", "api", "--", "true"])).stderr).toBe("");
  });
});

test("in a deleted directory, commands that need none work; one that needs it says so in a sentence", async () => {
  await withScratchHome(async ({ run, folder }) => {
    const gone = path.join(folder, "gone");
    await mkdir(gone);
    const there = async (...args: string[]): Promise<{ status: number | null; stderr: string }> => {
      // The shell is in the directory when it is removed.
      const script = 'rmdir "$PWD"; exec "$@"';
      await mkdir(gone, { recursive: true });
      const { execFile } = await import("node:child_process");
      const argv = ["-c", script, "sh", process.execPath, CLI_ENTRY, ...args];
      return new Promise((resolve) => {
        const env = bareEnvironment(path.join(folder, ".lockkeeper"));
        const child = execFile("sh", argv, { cwd: gone, env }, (_, __, stderr) =>
          resolve({ status: child.exitCode, stderr }),
        );
      });
    };
    expect((await run(["create", "old"])).status).toBe(0);
    expect(await there("create", "x")).toMatchObject({ status: 0 });
    expect(await there("create", "y", "--cwd", folder, "--", "true")).toMatchObject({ status: 0 });
    expect(await there("exec", "old", "--", "true")).toMatchObject({ status: 0 });
    expect(await there("list")).toMatchObject({ status: 0 });
    for (const args of [
      ["create", "z", "--", "true"],
      ["create", "z", "--cwd", "rel", "--", "true"],
      ["edit", "old", "--cwd", "rel"],
    ]) {
      const refused = await there(...args);
      expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining("was deleted") });
      expect(refused.stderr).not.toContain("bug");
    }
  });
});

test("a hook that could not be called is a warning of edit and doctor, and prevents no start", async () => {
  await withScratchHome(async ({ run, json, mustRun, folder }) => {
    await writeFile(path.join(folder, "api.env"), "OTHER=1\nNO_URL=secret\n", { mode: 0o600 });
    await mustRun(["create", "api", "--health", "none", "--", "sleep", "1000"]);
    const missing = path.join(folder, "tell-me");
    const hooks = [`failed=${missing}`, "ready=env:ALARM", "stopped=env:NO_URL", "recovered=http://127.0.0.1:1/"];
    const edit = ["edit", "api", "--env-file", path.join(folder, "api.env")];
    const edited = await run([...edit, ...hooks.flatMap((hook) => ["--hook", hook])]);
    expect(edited.status).toBe(0);
    const warned = edited.stderr.split("\n").filter((line) => line.startsWith("warning: the hook of api"));
    expect(warned.map((line) => line.replace(/.* for (\w+) cannot.*/, "$1")).sort()).toEqual([
      "failed",
      "ready",
      "stopped",
    ]);
    expect(edited.stderr).not.toContain("secret");
    const { findings } = JSON.parse((await run(["doctor", "--json"])).stdout) as { findings: { code: string }[] };
    expect(findings.filter(({ code }) => code === "next-start-hooks")).toHaveLength(3);
    await mustRun(["start", "api"]);
    await mustRun(["stop", "api"]);
    await writeFile(missing, "#!/bin/sh\n", { mode: 0o755 });
    await mustRun(["edit", "api", "--unset", "hook.ready", "--unset", "hook.stopped"]);
    expect(await json(["doctor"])).toMatchObject({ findings: [] });
  });
});
