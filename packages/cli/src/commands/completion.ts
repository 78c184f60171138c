/**
 * `completion`: the script that a shell loads once, and, called by that script with the words typed so far after `--`,
 * the candidates for the last of them.
 */
import type { Profiles } from "@lockkeeper/profiles";
import { candidates } from "../command-line/candidates.ts";
import type { Candidate, KnownWords } from "../command-line/candidates.ts";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["completion"]>;

interface Completion {
  readonly shell: string;
  /** Null when candidates were requested. */
  readonly script: string | null;
  readonly candidates: readonly string[];
}

interface Shown extends Omit<Completion, "candidates"> {
  readonly candidates: readonly Candidate[];
}

export async function run(context: Context, { shell, rest }: Arguments): Promise<Result> {
  if (rest === undefined) {
    const script: Completion = { shell, script: SCRIPTS[shell] ?? "", candidates: [] };
    return { value: script };
  }
  const found = await candidates(context.commands, rest, knownWords(context));
  const value: Completion = { shell, script: null, candidates: found.map(({ word }) => word) };
  const shown: Shown = { shell, script: null, candidates: found };
  return { value, shown };
}

export function render({ shell, script, candidates: found }: Shown): string {
  return script ?? found.map((candidate) => `${lineFor(shell, candidate)}\n`).join("");
}

/** bash shows only words; zsh and fish show a description beside each. */
function lineFor(shell: string, { word, meaning }: Candidate): string {
  if (shell === "bash" || meaning === undefined) return shell === "zsh" ? word.replaceAll(":", "\\:") : word;
  return shell === "zsh" ? `${word.replaceAll(":", "\\:")}:${meaning}` : `${word}\t${meaning}`;
}

/** Damaged files must not print an error into a half-typed line. */
function knownWords(context: Context): KnownWords {
  const ask =
    (read: (profiles: Profiles) => Promise<readonly string[]>): (() => Promise<readonly string[]>) =>
    async () => {
      try {
        return [...new Set(await read(await context.openProfiles()))];
      } catch {
        return [];
      }
    };
  return {
    profiles: ask(async (profiles) => {
      const statuses = await profiles.list({ probe: false });
      return [
        ...statuses.map(({ name }) => name),
        ...statuses.flatMap(({ groups }) => groups.map((group) => `@${group}`)),
      ];
    }),
    trash: ask(async (profiles) => (await profiles.trash()).map(({ name }) => name)),
    settings: ask(async (profiles) => (await profiles.readConfig()).entries.map(({ key }) => key)),
  };
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
  if [[ -z "\${found[*]}" ]]; then
    _files
  else
    _describe lockkeeper found
  fi
}
# A start-up file without completions of its own has not loaded zsh's.
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
compdef _lockkeeper lockkeeper
`,
  fish: `# lockkeeper completion for fish
function __lockkeeper_complete
    set -l found (lockkeeper completion fish -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c lockkeeper -f -a '(__lockkeeper_complete)'
`,
};
