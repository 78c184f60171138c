/**
 * The one validator of profile names, in front of every path that is built from a name. A valid name gets a branded type, so
 * that a function can require it. Pure.
 */
import { LockkeeperError } from "@lockkeeper/core";

declare const brand: unique symbol;

/** A name that is safe as a folder, a file and a word on a command line, on every system. */
export type ProfileName = string & { readonly [brand]: "ProfileName" };

const SHAPE = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** `all`, `default` and `none` mean something in commands; the rest are devices on Windows. */
const RESERVED = /^(?:all|default|none|con|prn|aux|nul|com[1-9]|lpt[1-9])$/;

/** Returns whether `text` may name a profile. */
export function isProfileName(text: string): text is ProfileName {
  return SHAPE.test(text) && !RESERVED.test(text);
}

/**
 * Returns `text` as a checked name.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID
 */
export function parseProfileName(text: string): ProfileName {
  if (isProfileName(text)) return text;
  const fault = RESERVED.test(text) ? "is reserved" : "is not a profile name";
  throw new LockkeeperError("PROFILE_NAME_INVALID", `${JSON.stringify(text)} ${fault}`, {
    hint: "Use 1 to 32 lower-case letters, digits and hyphens, beginning with a letter or digit: dev, prod, api-2.",
  });
}

/** Orders names as people do: `exp-2` before `exp-10`. For `sort`; two different names are never equal. */
export function compareNames(a: string, b: string): number {
  const [left, right] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (part === other) continue;
    const difference = Number(part) - Number(other);
    if (!Number.isNaN(difference) && difference !== 0) return difference;
    return part < other ? -1 : 1;
  }
  return left.length < right.length ? -1 : 0;
}
