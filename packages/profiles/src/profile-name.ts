/**
 * The one validator of profile names, in front of every path that is built from a name. A valid name gets a branded type, so
 * that a function can require it. Pure.
 */
import { LockkeeperError } from "@lockkeeper/core";

declare const brand: unique symbol;

/** A name that is safe as a folder, a file and a word on a command line, on every system. */
export type ProfileName = string & { readonly [brand]: "ProfileName" };

/** The shape of a name, as a source of regular expressions; reserved words are refused besides. */
export const NAME_PATTERN = "^[a-z0-9][a-z0-9-]{0,31}$";

/** Characters of the longest name. */
export const LONGEST_NAME = 32;

/** `all`, `default` and `none` mean something in commands; the rest are devices on Windows. */
const RESERVED = /^(?:all|default|none|con|prn|aux|nul|com[1-9]|lpt[1-9])$/;

/** Both rules in one expression: every command checks every name of a registry. */
const SOUND = new RegExp(`^(?!${RESERVED.source})${NAME_PATTERN}`);

/** Returns whether `text` is a text that may name a profile. */
export function isProfileName(text: unknown): text is ProfileName {
  // A pattern turns any value into text first, and "undefined" would be a sound name.
  return typeof text === "string" && SOUND.test(text);
}

/**
 * Returns `text` as a checked name.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID
 */
export function parseProfileName(text: string): ProfileName {
  if (isProfileName(text)) return text;
  const fault = typeof text === "string" && RESERVED.test(text) ? "is reserved" : "is not a profile name";
  throw new LockkeeperError("PROFILE_NAME_INVALID", `${JSON.stringify(text)} ${fault}`, {
    hint: "Use 1 to 32 lower-case letters, digits and hyphens, beginning with a letter or digit: dev, prod, api-2.",
  });
}

/** Returns the first free name of `dev-2`, `dev-3` and so on, for the name `dev`. */
export function freeName(name: ProfileName, isFree: (name: ProfileName) => boolean): ProfileName {
  // It ends, because each further round has met another profile or folder.
  for (let number = 2; ; number += 1) {
    const suffix = `-${number}`;
    const free = parseProfileName(`${name.slice(0, LONGEST_NAME - suffix.length)}${suffix}`);
    if (isFree(free)) return free;
  }
}

/** Orders names as people do: `exp-2` before `exp-10`. For `sort`; two different names are never equal. */
export function compareNames(a: string, b: string): number {
  // Up to here both have the same parts: a registry of a thousand names is checked at every reading.
  let from = startOfDifference(a, b);
  for (;;) {
    const [left, right] = [partAt(a, from), partAt(b, from)];
    if (left === right) {
      if (left === "") return 0;
      from += left.length;
      continue;
    }
    // The end counts as 0, and as less than a 0 that is written.
    const difference = Number(left) - Number(right);
    if (!Number.isNaN(difference) && difference !== 0) return difference;
    return left < right ? -1 : 1;
  }
}

/** Returns whether `a` comes before `b`: the same as {@link compareNames}, and quick for neighbours of a long sorted list. */
export function comesBefore(a: string, b: string): boolean {
  const last = a.length - 1;
  if (last >= 0 && last === b.length - 1) {
    const left = a.charCodeAt(last);
    const right = b.charCodeAt(last);
    // Numbers of equal length in front of one digit: `exp-12` and `exp-13`.
    if (left < right && left >= 48 && right <= 57 && a.slice(0, last) === b.slice(0, last)) return true;
  }
  return compareNames(a, b) < 0;
}

/** Returns where the part begins in which two names differ, or the one before it. */
function startOfDifference(a: string, b: string): number {
  let at = 0;
  // Beyond the end is NaN, which equals nothing.
  while (a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  const isNumber = isDigit(a, at - 1);
  while (at > 0 && isDigit(a, at - 1) === isNumber) at -= 1;
  return at;
}

/** Returns the digits, or the other characters, that stand from there on; "" at the end. */
function partAt(name: string, from: number): string {
  const isNumber = isDigit(name, from);
  let end = from + 1;
  while (end < name.length && isDigit(name, end) === isNumber) end += 1;
  return name.slice(from, end);
}

function isDigit(name: string, at: number): boolean {
  const code = name.charCodeAt(at);
  return code >= 48 && code <= 57;
}
