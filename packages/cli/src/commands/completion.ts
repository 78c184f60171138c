/**
 * `completion`: the script that a shell loads once, and, called by that script with the words typed so far after `--`,
 * the candidates for the last of them.
 */
import { candidates } from "../command-line/candidates.ts";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["completion"]>;

interface Completion {
  readonly shell: string;
  /** Null when candidates were asked for. */
  readonly script: string | null;
  readonly candidates: readonly string[];
}

export async function run(context: Context, { shell, rest }: Arguments): Promise<Result> {
  if (rest === undefined) {
    const script: Completion = { shell, script: SCRIPTS[shell] ?? "", candidates: [] };
    return { value: script };
  }
  const found = await candidates(context.commands, rest, () => profileNames(context));
  const value: Completion = { shell, script: null, candidates: found };
  return { value };
}

export function render({ script, candidates: found }: Completion): string {
  return script ?? found.map((word) => `${word}\n`).join("");
}

/** A damaged registry is no reason to print an error into somebody's half-typed line. */
async function profileNames(context: Context): Promise<readonly string[]> {
  try {
    const profiles = await context.openProfiles();
    return (await profiles.list({ probe: false })).map(({ name }) => name);
  } catch {
    return [];
  }
}

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# lockkeeper completion for bash
_lockkeeper() {
  local IFS=$'\\n'
  COMPREPLY=($(lockkeeper completion bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _lockkeeper lockkeeper
`,
  zsh: `# lockkeeper completion for zsh
_lockkeeper() {
  local -a found
  found=("\${(@f)$(lockkeeper completion zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _lockkeeper lockkeeper
`,
  fish: `# lockkeeper completion for fish
complete -c lockkeeper -f -a '(lockkeeper completion fish -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
};
