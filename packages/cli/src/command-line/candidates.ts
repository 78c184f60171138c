/** What may come next on an unfinished command line, from the same descriptions that are used to read one. Pure. */
import type { CommandSpec } from "./command.ts";
import { findCommand } from "./find-command.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "./options.ts";
import type { OptionName } from "./options.ts";

/** Positionals and options whose values are names of profiles that exist. */
const TAKES_PROFILE: ReadonlySet<string> = new Set(["profile", "confirm"]);

/**
 * Returns the candidates for the last of `words`, which may be empty. `profiles` is asked only where a profile's name
 * can stand.
 */
export async function candidates(
  commands: Readonly<Record<string, CommandSpec>>,
  words: readonly string[],
  profiles: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  return (await possible(commands, before, typed, profiles)).filter((word) => word.startsWith(typed));
}

async function possible(
  commands: Readonly<Record<string, CommandSpec>>,
  before: readonly string[],
  typed: string,
  profiles: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const [first] = before;
  if (first === undefined) return Object.keys(commands);
  const command = findCommand(commands, first);
  const spec = command === undefined ? undefined : commands[command];
  if (spec === undefined || before.includes("--")) return [];
  const options = [...spec.options, ...GLOBAL_OPTIONS];
  const awaiting = options.find((option) => takesValue(option) && isFlag(option, before.at(-1) ?? ""));
  if (awaiting !== undefined) {
    return TAKES_PROFILE.has(awaiting) ? profiles() : (optionSpec(awaiting).choices ?? []);
  }
  if (typed.startsWith("-")) return [...options.map((option) => `--${flagName(option)}`), "--help"];
  const given = before.slice(1).filter((word) => !word.startsWith("-")).length;
  const positional = spec.positionals[given] ?? spec.positionals.findLast(({ arity }) => arity === "many");
  if (positional === undefined) return [];
  return positional.choices ?? (positional.free === true ? [] : profiles());
}

function takesValue(option: OptionName): boolean {
  return optionSpec(option).type !== "flag";
}

function isFlag(option: OptionName, word: string): boolean {
  return word === `--${flagName(option)}` || word === `-${optionSpec(option).alias ?? "-"}`;
}
