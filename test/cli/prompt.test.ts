/** The prompt lines in the real shells: they show the profile, red when protected, and start no program. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { ScratchHome } from "../harness/scratch-home.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

interface Shell {
  /** Arguments that read no start-up file of the user and run one line. */
  readonly args: readonly string[];
  /** The line that shows what precedes the user's own prompt after `file` was read. */
  readonly show: (file: string) => string;
  readonly red: string;
}

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: {
    args: ["--norc", "--noprofile", "-c"],
    show: (file) => `PS1=own; source ${file}; source ${file}; _lockkeeper_prompt; printf '%s' "\${PS1@P}"`,
    red: "\u001B[31m[prod!",
  },
  zsh: {
    args: ["-f", "-c"],
    show: (file) =>
      `PROMPT=own; source ${file}; source ${file}; _lockkeeper_prompt; print -rnP -- "$(print -rn -- $LOCKKEEPER_SHOWN)own"`,
    red: "\u001B[31m[prod!",
  },
  fish: {
    args: ["--no-config", "-c"],
    show: (file) => `function fish_prompt; echo -n own; end; source ${file}; source ${file}; fish_prompt`,
    red: "\u001B[31m[prod!",
  },
};

const isMissing = (shell: string): boolean => spawnSync(shell, ["--version"]).error !== undefined;

describe.each(Object.entries(SHELLS))("the prompt of %s", (name, { args, show, red }) => {
  const missing = isMissing(name);
  if (missing) process.stdout.write(`skipped: the prompt of ${name}: ${name} is not installed\n`);

  async function prompt({ home, folder, run }: ScratchHome, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const file = path.join(folder, "prompt.rc");
    writeFileSync(file, (await run(["prompt", name])).stdout);
    const empty = path.join(folder, "no-programs");
    mkdirSync(empty, { recursive: true });
    const result = spawnSync(whereIs(name), [...args, show(file)], {
      encoding: "utf8",
      // Without a PATH only the shell itself can run.
      env: { HOME: folder, LOCKKEEPER_HOME: home, PATH: empty, TERM: "xterm", ...env },
    });
    expect(result.stderr).toBe("");
    // oxlint-disable-next-line no-control-regex
    return result.stdout.replaceAll(/[\u0001\u0002]/g, "");
  }

  test.skipIf(missing)(
    "shows the default, the override of the environment, and nothing without a profile",
    async () => {
      await withScratchHome(async (scratch) => {
        expect(await prompt(scratch)).toBe("own");
        await scratch.mustRun(["create", "dev"]);
        await scratch.mustRun(["create", "prod", "--protected"]);
        expect(await prompt(scratch)).toBe("own");
        await scratch.mustRun(["use", "dev"]);
        expect(await prompt(scratch)).toBe("[dev] own");
        await scratch.mustRun(["use", "prod"]);
        const shown = await prompt(scratch);
        expect(shown).toContain(red);
        expect(shown).toContain("[prod!]");
        expect(await prompt(scratch, { LOCKKEEPER_PROFILE: "dev" })).toBe("[dev env] own");
        expect(await prompt(scratch, { LOCKKEEPER_PROFILE: "prod" })).toContain("[prod! env]");
      });
    },
  );

  test.skipIf(missing)("runs no text from the environment or the files as a command", async () => {
    await withScratchHome(async (scratch) => {
      const mark = path.join(scratch.folder, "mark");
      for (const hostile of [`$(touch ${mark})`, "`touch mark`", "%{x%}", "a]; touch mark", "\u001B[31m"]) {
        expect(await prompt(scratch, { LOCKKEEPER_PROFILE: hostile })).toBe("own");
      }
      writeFileSync(path.join(scratch.home, "config.json"), `{"defaultProfile":"$(touch ${mark})"}`);
      expect(await prompt(scratch)).toBe("own");
    });
  });
});

function whereIs(shell: string): string {
  return spawnSync("sh", ["-c", `command -v ${shell}`], { encoding: "utf8" }).stdout.trim();
}
