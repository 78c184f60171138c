/**
 * SECURITY 10: Node treats an --env-file after a script's name as its own and obeys the NODE_OPTIONS in it. The
 * installed command starts Node so that it does not: the owner of the file is checked before its content counts.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

/** The target of a bin link; its first line hands it to the shell. */
const INSTALLED = path.join(path.dirname(CLI_ENTRY), "../dist/lockkeeper.cjs");

test("security 10: no command obeys NODE_OPTIONS in an env file that others can write, and a missing file is our own error", async () => {
  await withScratchHome(async ({ home, folder, run }) => {
    const hook = path.join(folder, "hook.cjs");
    fs.writeFileSync(hook, "require('node:fs').writeFileSync(__dirname + '/obeyed', '')");
    const envFile = path.join(folder, "env");
    fs.writeFileSync(envFile, `NODE_OPTIONS=--require=${hook}\n`);
    fs.chmodSync(envFile, 0o666);
    for (const [args, status, told] of [
      [["create", "a", `--env-file=${envFile}`], 77, envFile],
      [["create", "a", "--env-file", path.join(folder, "missing")], 2, "missing"],
    ] as const) {
      const PATH = [path.dirname(process.execPath), process.env["PATH"] ?? ""].join(":");
      const ran = spawnSync("/bin/sh", [INSTALLED, ...args], {
        env: { ...bareEnvironment(home), PATH },
        encoding: "utf8",
      });
      expect({ args, status: ran.status, stderr: ran.stderr }).toEqual({
        args,
        status,
        stderr: expect.stringContaining(told) as string,
      });
    }
    expect(fs.existsSync(path.join(folder, "obeyed"))).toBe(false);
    expect((await run(["list", "--quiet"])).stdout).toBe("");
  });
});
