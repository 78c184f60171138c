/** Completes an unfinished command line, from the same descriptions that the readers use. Pure. */
import type { CommandSpec } from "./command.ts";
import { findCommand } from "./find-command.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "./options.ts";
import type { OptionName } from "./options.ts";

/** One possible next word, and its description if known. */
export interface Candidate {
  readonly word: string;
  readonly meaning?: string;
}

/** Names from the home; each list is read only where it is possible. */
export interface KnownWords {
  /** Names of profiles, and groups with their sigil. */
  readonly profiles: () => Promise<readonly string[]>;
  /** Names in the trash. */
  readonly trash: () => Promise<readonly string[]>;
  /** Keys of the settings. */
  readonly settings: () => Promise<readonly string[]>;
}

/** Options whose values are names of profiles that exist. */
const TAKES_PROFILE: ReadonlySet<string> = new Set(["profile", "confirm", "after"]);

/** Returns the candidates for the last of `words`, which may be empty. None: the shell may complete files. */
export async function candidates(
  commands: Readonly<Record<string, CommandSpec>>,
  words: readonly string[],
  known: KnownWords,
): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  return (await possible(commands, before, typed, known)).filter(({ word }) => word.startsWith(typed));
}

const bare = (words: readonly string[]): readonly Candidate[] => words.map((word) => ({ word }));

async function possible(
  commands: Readonly<Record<string, CommandSpec>>,
  before: readonly string[],
  typed: string,
  known: KnownWords,
): Promise<readonly Candidate[]> {
  const [first] = before;
  const names = Object.entries(commands).map(([word, { summary }]) => ({ word, meaning: summary }));
  if (first === undefined) return [...names, { word: "help", meaning: "explain a command" }];
  if (first === "help") return before.length === 1 ? names : [];
  const command = findCommand(commands, first);
  const spec = command === undefined ? undefined : commands[command];
  if (command === undefined || spec === undefined || before.includes("--")) return [];
  const options = [...spec.options, ...GLOBAL_OPTIONS];
  const awaiting = options.find((option) => takesValue(option) && isFlag(option, before.at(-1) ?? ""));
  if (awaiting !== undefined) {
    return bare(TAKES_PROFILE.has(awaiting) ? await known.profiles() : (optionSpec(awaiting).choices ?? []));
  }
  if (typed.startsWith("-")) {
    const flags = options.map((option) => ({
      word: `--${flagName(option)}`,
      meaning: spec.summaries?.[option] ?? optionSpec(option).summary,
    }));
    return [...flags, { word: "--help", meaning: "explain the command" }];
  }
  const given = before.slice(1).filter((word) => !word.startsWith("-")).length;
  const positional = spec.positionals[given] ?? spec.positionals.findLast(({ arity }) => arity === "many");
  if (positional === undefined) return [];
  if (command === "restore" || (command === "trash" && given > 0)) return bare(await known.trash());
  if (command === "config" && positional.name === "key") return bare(await known.settings());
  return bare(positional.choices ?? (positional.free === true ? [] : await known.profiles()));
}

function takesValue(option: OptionName): boolean {
  return optionSpec(option).type !== "flag";
}

function isFlag(option: OptionName, word: string): boolean {
  return word === `--${flagName(option)}` || word === `-${optionSpec(option).alias ?? "-"}`;
}
