/** Completion by the shells themselves: the script is loaded as the help says, and words are completed. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const has = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;
const title = (shell: string, what: string): string =>
  has(shell) ? `${shell}: ${what}` : `${shell}: ${what} (skipped: ${shell} is not installed)`;

/** The command line under its own name, first on the PATH. */
function withProgram(folder: string, home: string): Record<string, string> {
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "lockkeeper"), `#!/bin/sh\nexec "${process.execPath}" "${CLI_ENTRY}" "$@"\n`);
  chmodSync(path.join(bin, "lockkeeper"), 0o755);
  const env = bareEnvironment(home) as Record<string, string>;
  return { ...env, PATH: `${bin}:${env["PATH"] ?? ""}`, HOME: folder };
}

test.skipIf(!has("bash"))(title("bash", "names, groups, choices, what is in the trash"), async () => {
  await withScratchHome(async ({ run, json, home, folder }) => {
    await json(["create", "dev", "--group", "web"]);
    await json(["create", "old"]);
    await json(["remove", "old", "--yes"]);
    const env = withProgram(folder, home);
    const file = path.join(folder, "completion");
    writeFileSync(file, (await run(["completion", "bash"])).stdout);
    const complete = (...words: readonly string[]): readonly string[] =>
      execFileSync(
        "bash",
        [
          "--norc",
          "-c",
          `source "$1"; shift; COMP_WORDS=(lockkeeper "$@"); COMP_CWORD=$#; _lockkeeper; printf '%s\\n' "\${COMPREPLY[@]}"`,
          "bash",
          file,
          ...words,
        ],
        { encoding: "utf8", env },
      )
        .trim()
        .split("\n");
    expect(complete("sta")).toEqual(["status", "start"]);
    expect(complete("start", "")).toEqual(["dev", "@web"]);
    expect(complete("restore", "")).toEqual(["old"]);
    expect(complete("config", "get", "poolF")).toEqual(["poolFirst"]);
    expect(complete("create", "x", "--kind", "")).toEqual(["builtin", "command", "openclaw"]);
    expect(complete("create", "x", "--cwd", "")).toEqual([""]);
    expect(complete("help", "wh")).toEqual(["why"]);
  });
});

test.skipIf(!has("zsh"))(title("zsh", "a start-up file with nothing else in it"), async () => {
  await withScratchHome(async ({ run, home, folder }) => {
    const env = withProgram(folder, home);
    writeFileSync(path.join(folder, ".zshrc"), (await run(["completion", "zsh"])).stdout);
    const { stdout, stderr } = spawnSync("zsh", ["-i", "-c", "print -r -- $_comps[lockkeeper]"], {
      encoding: "utf8",
      env,
    });
    expect(stderr).not.toMatch(/not found|error/i);
    expect(stdout.trim()).toBe("_lockkeeper");
    expect((await run(["completion", "zsh", "--", "star"])).stdout).toMatch(/^start:start profiles/);
  });
});

test.skipIf(!has("fish"))(title("fish", "words with their meaning, files where nothing else is known"), async () => {
  await withScratchHome(async ({ run, json, home, folder }) => {
    await json(["create", "dev"]);
    const env = withProgram(folder, home);
    const file = path.join(folder, "completion.fish");
    writeFileSync(file, (await run(["completion", "fish"])).stdout);
    const complete = (line: string): string =>
      execFileSync("fish", ["--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, file, line], {
        encoding: "utf8",
        env,
        cwd: folder,
      });
    expect(complete("lockkeeper star")).toMatch(/^start\tstart profiles/);
    expect(complete("lockkeeper stop ")).toMatch(/^dev$/m);
    expect(complete("lockkeeper create x --env-file compl")).toContain("completion.fish");
  });
});
