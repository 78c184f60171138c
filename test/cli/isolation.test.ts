/** A command that runs inside profile A and acts on B shows B nothing of A, whichever command it is. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bareEnvironment } from "../harness/cli.ts";
import { freePort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.js`, import.meta.url));

type Environment = Readonly<Record<string, string>>;

interface Exported {
  readonly unset: readonly string[];
  readonly set: Environment;
}

test("env, exec, shell and start show nothing of the profile that the caller is in", async () => {
  await withScratchHome(async ({ run, json, home, folder }) => {
    const told = path.join(folder, "told");
    const argv = [process.execPath, fixture("witness"), "{port}", told];
    await json(["create", "alpha", "--kind", "openclaw"]);
    const port = await freePort();
    const create = ["create", "beta", "--port", String(port), "--span", "1", "--health", "/", "--json"];
    expect((await run([...create, "--", ...argv])).status).toBe(0);

    // Everything that `env alpha` sets, and every other variable that could belong to a profile.
    const alpha = (await json(["env", "alpha"])) as Exported;
    const inside: Environment = {
      ...Object.fromEntries(alpha.unset.map((variable) => [variable, "of-alpha"])),
      ...alpha.set,
      LOCKKEEPER_HOME: home,
      UNRELATED: "kept",
    };
    expect(Object.values(inside).filter((value) => /alpha/.test(value)).length).toBeGreaterThan(10);
    const expectBeta = (environment: Environment, door: string): void => {
      expect(
        Object.entries(environment).filter(([, value]) => /alpha/.test(value)),
        door,
      ).toEqual([]);
      expect(environment, door).toMatchObject({
        LOCKKEEPER_PROFILE: "beta",
        LOCKKEEPER_PORT: String(port),
        LOCKKEEPER_STATE_DIR: path.join(home, "profiles/beta/state"),
        LOCKKEEPER_WORKSPACE: path.join(home, "profiles/beta/workspace"),
      });
      const own = Object.keys(environment).filter((variable) => variable.startsWith("OPENCLAW_"));
      expect(own, door).toEqual([]);
    };

    const exec = await run(["exec", "beta", "--", process.execPath, fixture("print-environment")], { env: inside });
    expectBeta(JSON.parse(exec.stdout) as Environment, "exec");
    expect(JSON.parse(exec.stdout)).toMatchObject({ UNRELATED: "kept" });

    const script = `"${process.execPath}" "${fixture("print-environment")}"\n`;
    const shell = await run(["shell", "beta"], { env: { ...inside, SHELL: "/bin/sh" }, input: script });
    expectBeta(JSON.parse(shell.stdout) as Environment, "shell");

    const { stdout: lines } = await run(["env", "beta", "--shell", "bash"], { env: inside });
    const evaluated = spawnSync("/bin/sh", ["-c", `${lines}\n${script}`], {
      env: { ...bareEnvironment(home), ...inside },
    });
    expectBeta(JSON.parse(evaluated.stdout.toString()) as Environment, "env");

    const started = await run(["start", "beta"], { env: inside });
    expect(started.status, started.stderr).toBe(0);
    const [first = ""] = (await readFile(told, "utf8")).split("\n");
    const { env } = JSON.parse(first) as { env: Environment };
    expectBeta(env, "start");
    // A gateway gets only the allow-list, not everything in the shell that started it.
    expect(env).not.toHaveProperty("UNRELATED");
  });
});
