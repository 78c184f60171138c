/**
 * How a shell is told to show the profile in its prompt, without a file of ours and without touching the user's own
 * start-up files, which run first. Pure. A start-up file that sets these itself has the last word.
 */
import path from "node:path";

export interface PromptedShell {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Looked up each time, so that `eval "$(lockkeeper env other)"`, which drops the variable, leaves no wrong name behind. */
const POSIX = "${LOCKKEEPER_PROMPT:+$LOCKKEEPER_PROMPT }";

/** Runs before each prompt, after the start-up files, and does its work once. */
const BASH = `[[ $PS1 == *LOCKKEEPER_PROMPT* ]] || PS1='${POSIX}'$PS1`;

const FISH =
  "functions -c fish_prompt lockkeeper_own_prompt; function fish_prompt; " +
  'set -q LOCKKEEPER_PROMPT; and echo -n "$LOCKKEEPER_PROMPT "; lockkeeper_own_prompt; end';

/**
 * Returns what to add to the call of `shell` (a path) and to its environment. fish and zsh are untested.
 *
 * @param profile a profile's name, marked with `!` when it is protected.
 */
export function promptedShell(
  shell: string,
  { profile, protected: isProtected }: { readonly profile: string; readonly protected: boolean },
  env: Readonly<Record<string, string>>,
): PromptedShell {
  const prompt = { LOCKKEEPER_PROMPT: `[${profile}${isProtected ? "!" : ""}]` };
  switch (path.basename(shell)) {
    case "bash": {
      const before = env["PROMPT_COMMAND"] ?? "";
      // A shell within a shell has it already.
      const commands = before === "" ? BASH : before.includes(BASH) ? before : `${before}; ${BASH}`;
      return { args: [], env: { ...prompt, PROMPT_COMMAND: commands } };
    }
    case "zsh":
      return { args: [], env: { ...prompt, RPROMPT: prompt.LOCKKEEPER_PROMPT } };
    case "fish":
      return { args: ["-C", FISH], env: prompt };
    default:
      return { args: [], env: { ...prompt, PS1: `${POSIX}$ ` } };
  }
}
