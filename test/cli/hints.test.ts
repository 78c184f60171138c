/** Commands in hints can be pasted, whatever characters their paths hold. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment, runCli } from "../harness/cli.ts";
import type { CliRun } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const TOOLS = ["lockkeeper", "mv", "cp", "chmod", "ls", "rm", "rmdir", "mkdir"];

/** Returns what `sh` makes of the command at the end of a hint. */
function pasted({ stderr }: CliRun): readonly string[] {
  const { error } = JSON.parse(stderr) as { error: { hint: string } };
  const [, command = ""] = new RegExp(`(?:^|: )((?:${TOOLS.join("|")}) .*)$`, "s").exec(error.hint) ?? [];
  expect(command).not.toBe("");
  const stubs = TOOLS.map((tool) => `${tool}() { printf '%s\\0' ${tool} "$@"; }\n`).join("");
  const env = { PATH: "/nowhere", HOME: "/root" };
  return execFileSync("/bin/sh", ["-e", "-c", `${stubs}${command}`], { encoding: "utf8", env })
    .split("\0")
    .slice(0, -1);
}

test.each([
  "with blanks",
  "it's",
  "$HOME `id` $(id)",
  'a"b\\c',
  "*?[x]",
  "{a,b};&|<>#~!",
  "ünï 漢字",
  "two\nlines",
  "esc\u001B[31m",
])("%j", async (nasty) => {
  await withScratchHome(async ({ folder }) => {
    const around = path.join(folder, nasty);
    const home = path.join(around, ".lockkeeper");
    await mkdir(home, { recursive: true, mode: 0o700 });
    const run = (...args: string[]): Promise<CliRun> => runCli(home, [...args, "--json"], { env: { HOME: around } });
    const envFile = path.join(around, "api.env");
    await writeFile(envFile, "A=1\n", { mode: 0o644 });
    expect(pasted(await run("create", "api", "--env-file", envFile))).toEqual(["chmod", "600", envFile]);
    expect((await run("create", "dev")).status).toBe(0);

    const stray = path.join(home, "profiles/stray");
    await mkdir(stray);
    expect(pasted(await run("create", "stray"))).toEqual(["rmdir", stray]);
    await writeFile(path.join(stray, "notes"), "");
    expect(pasted(await run("create", "stray"))).toEqual(["mv", stray, `${stray}.kept`]);

    await mkdir(path.join(around, "real"));
    await symlink(path.join(around, "real"), path.join(around, "link"));
    const imported = await run("import", "openclaw", "--state-dir", path.join(around, "link"));
    expect(pasted(imported)).toEqual(["lockkeeper", "import", "openclaw", "--state-dir", path.join(around, "real")]);

    const config = path.join(home, "config.json");
    await writeFile(config, "{broken", { mode: 0o600 });
    expect(pasted(await run("config", "get"))).toEqual(["mv", config, `${config}.damaged`]);
    await writeFile(config, "{}", { mode: 0o600 });

    const registry = path.join(home, "registry.json");
    await writeFile(registry, "{broken", { mode: 0o600 });
    const lastGood = path.join(home, "registry.last-good.json");
    expect(pasted(await run("list"))).toEqual(["cp", "-p", lastGood, registry]);

    await chmod(home, 0o777);
    expect(pasted(await run("create", "more"))).toEqual(["chmod", "go-w", home]);
    await chmod(home, 0o700);
  });
});

/** Runs the command at the end of a hint with the real program, and returns its exit status. */
function paste(run: CliRun, home: string, cwd: string): number | null {
  const { error } = JSON.parse(run.stderr) as { error: { hint: string } };
  const [, command = ""] = /(?:^|: )(lockkeeper .*)$/.exec(error.hint) ?? [];
  const script = `lockkeeper() { '${process.execPath}' -- '${CLI_ENTRY}' "$@"; }\n${command}`;
  const env = { ...bareEnvironment(home), PATH: process.env["PATH"] };
  return spawnSync("/bin/sh", ["-e", "-c", script], { cwd, env, encoding: "utf8" }).status;
}

test("after the command of a hint, the refused command is accepted", async () => {
  await withScratchHome(async ({ home, folder, mustRun }) => {
    const run = (...args: string[]): Promise<CliRun> => runCli(home, [...args, "--json"], { cwd: folder });
    for (const file of ["lockkeeper.json", "it's.json"]) {
      const refused = await run("plan", "-f", file);
      expect(refused.status).toBe(2);
      expect(paste(refused, home, folder)).toBe(0);
      expect((await run("plan", "-f", file)).status).toBe(0);
    }
    await mustRun(["create", "dev"]);
    await mustRun(["remove", "dev", "--yes"]);
    await mustRun(["create", "dev"]);
    // First its name was given away, then its ports: one command for each.
    for (const _ of ["name", "ports"]) expect(paste(await run("restore", "dev"), home, folder)).toBe(0);
    expect((await mustRun(["list", "--quiet"])).stdout).toBe("dev\ndev-2\n");
  });
});

test("a pool that would be empty: after the command of the hint it is not", async () => {
  await withScratchHome(async ({ home, folder, mustRun }) => {
    const run = (...args: string[]): Promise<CliRun> => runCli(home, [...args, "--json"], { cwd: folder });
    for (const [set, value] of [
      ["poolFirst", "40000"],
      ["poolLast", "20000"],
    ] as const) {
      const refused = await run("config", "set", set, value);
      expect(refused.stderr).toContain("the pool would be empty");
      expect(paste(refused, home, folder)).toBe(0);
      await mustRun(["config", "set", set, value]);
    }
  });
});

test("a hint names no option that the command does not have, and sizes as they were typed", async () => {
  await withScratchHome(async ({ json, run }) => {
    const { port } = (await json(["create", "dev"])) as { port: number };
    expect((await run(["ports", "reserve", String(port + 1)])).stderr).not.toContain("--port");
    const wrong = await run(["create", "api", "--memory-restart", "4G", "--memory-max", "2G"]);
    expect(wrong.stderr).toMatch(/4G"?\n.*--memory-max 2G/s);
  });
});
