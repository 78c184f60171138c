/**
 * Resolves the words of a command line to profiles: a name is itself, `@group` is every profile in that group, `dev-*` and
 * `web?` are patterns. The `@` keeps groups and profiles apart. Pure.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { didYouMean } from "@lockkeeper/core/internal";
import type { Registry } from "./registry.ts";

/** Returns whether `word` may mean several profiles. */
export function isPattern(word: string): boolean {
  return word.startsWith("@") || /[*?]/.test(word);
}

/**
 * Returns the names that `words` mean, each once, in the order of the words; within one word sorted. A plain name is returned as
 * it is, known or not.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND for a group or pattern without a profile.
 */
export function matchNames(registry: Registry, words: readonly string[]): readonly string[] {
  return [...new Set(words.flatMap((word) => (isPattern(word) ? matchOne(registry, word) : word)))];
}

function matchOne(registry: Registry, word: string): readonly string[] {
  const manifests = [...registry.values()];
  const group = word.startsWith("@") ? word.slice(1) : undefined;
  const pattern = new RegExp(
    `^${word
      .replaceAll(/[^a-z0-9*?-]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );
  const found = manifests.filter((each) =>
    group === undefined ? pattern.test(each.name) : (each.groups ?? []).includes(group),
  );
  if (found.length > 0) return found.map(({ name }) => name);
  if (group === undefined) {
    throw new LockkeeperError("PROFILE_NOT_FOUND", `no profile matches ${word}`, {
      hint: "Quote a pattern, or the shell looks for files ('dev-*'). See them all: lockkeeper list",
    });
  }
  const groups = new Set(manifests.flatMap((each) => each.groups ?? []));
  throw new LockkeeperError("PROFILE_NOT_FOUND", `no profile is in the group @${group}`, {
    hint:
      didYouMean(group, groups) ??
      (groups.size === 0
        ? `Put a profile into it: lockkeeper edit NAME --group ${group}`
        : `There are: ${[...groups]
            .sort()
            .map((each) => `@${each}`)
            .join(" ")}`),
  });
}
