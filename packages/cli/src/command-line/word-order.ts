/**
 * Puts the words of a command line into the order that its description has: options before the command move after it, and
 * `--profile` becomes the argument that it replaces. Pure.
 */
import type { CommandSpec } from "./command.ts";
import { OPTIONS, flagName, optionSpec } from "./options.ts";
import type { OptionName } from "./options.ts";

const NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** Returns the words with the command in front: `--profile dev --json status` is `status --profile dev --json`. */
export function commandFirst(words: readonly string[]): readonly string[] {
  let at = 0;
  while (at < words.length && (words[at] ?? "").startsWith("-")) at += takesNext(words[at] ?? "") ? 2 : 1;
  return at === 0 || at >= words.length
    ? words
    : [...words.slice(at, at + 1), ...words.slice(0, at), ...words.slice(at + 1)];
}

/** Returns the words so that a command without an option `--profile` gets its value as the name of a profile. */
export function profileAsArgument(spec: CommandSpec, words: readonly string[]): readonly string[] {
  const place = spec.positionals.findIndex(({ free, choices }) => free !== true && choices === undefined);
  if (spec.options.includes("profile") || place === -1) return words;
  const named: string[] = [];
  const others: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const next = words[at + 1];
    if (word.startsWith("--profile=")) named.push(word.slice("--profile=".length));
    else if (word === "--profile" && next !== undefined && !next.startsWith("-")) {
      named.push(next);
      at += 1;
    } else others.push(word);
  }
  // After the command and the words before the name.
  return named.length === 0 ? words : [...others.slice(0, place + 1), ...named, ...others.slice(place + 1)];
}

function takesNext(word: string): boolean {
  if (word.includes("=")) return false;
  const option = NAMES.find((name) => word === `--${flagName(name)}` || word === `-${optionSpec(name).alias ?? "-"}`);
  return option !== undefined && optionSpec(option).type !== "flag";
}
