import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { promptedShell } from "../src/shell-prompt.ts";

const PROD = { profile: "prod", protected: true };

/** Returns what an interactive bash prints before and after `lines`, prompts included. */
function inBash(env: Readonly<Record<string, string>>, lines: string): string {
  const options = ["--norc", "--noediting", "-i"];
  return spawnSync("/bin/bash", options, {
    env: { PATH: "/usr/bin:/bin", PS1: "$ ", ...env },
    input: lines,
  }).stderr.toString();
}

test.skipIf(!existsSync("/bin/bash"))(
  "bash shows the profile before its own prompt, and marks a protected one (needs /bin/bash)",
  () => {
    const { env } = promptedShell("/bin/bash", PROD, {});
    expect(inBash(env, "true\n")).toContain("[prod!] $ ");
    const dev = promptedShell("/bin/bash", { profile: "dev", protected: false }, env);
    // Entered from within the other one.
    expect(inBash({ ...env, ...dev.env }, "true\n")).toContain("[dev] $ ");
    expect(inBash(env, "unset LOCKKEEPER_PROMPT; echo done\n").split("[prod!]")).toHaveLength(2);
  },
);

test.skipIf(!existsSync("/bin/bash"))("what the user runs before each prompt still runs (needs /bin/bash)", () => {
  const { env } = promptedShell("/bin/bash", PROD, { PROMPT_COMMAND: "echo mine >&2" });
  expect(inBash(env, "true\n")).toMatch(/mine\n\[prod!\] \$ /);
});

test("every shell gets the message, also one that we do not know", () => {
  for (const shell of ["/bin/sh", "/usr/bin/zsh", "/usr/local/bin/fish", "/bin/bash"]) {
    expect(promptedShell(shell, PROD, {}).env, shell).toMatchObject({ LOCKKEEPER_PROMPT: "[prod!]" });
  }
});
