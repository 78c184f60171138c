/** Commands in hints can be pasted, whatever characters their paths hold. */
import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { runCli } from "../harness/cli.ts";
import type { CliRun } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const TOOLS = ["lockkeeper", "mv", "cp", "chmod", "ls", "rm", "mkdir"];

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
    expect(pasted(await run("list"))).toEqual(["cp", lastGood, registry]);

    await chmod(home, 0o777);
    expect(pasted(await run("create", "more"))).toEqual(["chmod", "go-w", home]);
    await chmod(home, 0o700);
  });
});
