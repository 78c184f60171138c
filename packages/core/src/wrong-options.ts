/**
 * The one rule for wrong arguments of a function: a TypeError with the expected and the given value, before anything is
 * touched. Input that a person typed or wrote into a file is parsed earlier, and its faults are documented errors. Pure.
 */
import { inspect } from "node:util";
import { nearestNames } from "./nearest-names.ts";

/**
 * Longest delay that a timer takes; a longer one becomes a millisecond. Source:
 * https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
 */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** The expected type of an option's value. `value`: anything; the function itself checks it. */
export type OptionKind =
  | "flag"
  | "text"
  | "texts"
  | "number"
  | "count"
  | "milliseconds"
  | "signal"
  | "function"
  | "named texts"
  | "object"
  | "value";

/** The options of a function, by name. `needed`: it has no default. `true`: it is not checked. */
export type KnownOptions = Readonly<Record<string, true | OptionKind | `needed ${OptionKind}`>>;

/**
 * Returns when `options` has every needed key of `known`, no unknown key, and only values of the right kind. Otherwise a misspelt
 * option would silently have its default.
 *
 * @param caller the function that was called, for the message.
 * @throws {TypeError} naming the first unknown key and the nearest known one, or the first wrong or missing value.
 */
export function refuseUnknownOptions(caller: string, options: unknown, known: KnownOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${caller}: expected an object of options, got ${options === null ? "null" : typeof options}`);
  }
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(known, key)) continue;
    const near = nearestNames(key, Object.keys(known));
    const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : `known are ${Object.keys(known).join(", ")}`;
    throw new TypeError(`${caller}: unknown option ${JSON.stringify(key)}; ${hint}`);
  }
  const expect = optionCheck(caller);
  for (const [key, word] of Object.entries(known)) {
    if (word === true) continue;
    const value: unknown = Reflect.get(options, key);
    const isNeeded = word.startsWith(NEEDED);
    if (value === undefined && !isNeeded) continue;
    const [what, isRight] = KINDS[(isNeeded ? word.slice(NEEDED.length) : word) as OptionKind];
    expect(`the option ${key}`, value, what, isRight);
  }
}

const NEEDED = "needed ";

const KINDS: Readonly<Record<OptionKind, readonly [what: string, isRight: (value: unknown) => boolean]>> = {
  flag: ["true or false", (value) => typeof value === "boolean"],
  text: ["a text", isText],
  texts: ["an array of texts", (value) => Array.isArray(value) && value.every(isText)],
  number: ["a number", (value) => typeof value === "number" && !Number.isNaN(value)],
  count: ["a whole number from 0", (value) => isIntegerFrom(0, value, Infinity)],
  // Without this bound, "no limit" would be a timer of one millisecond: the shortest wait in place of the longest.
  milliseconds: [`milliseconds from 0 to ${LONGEST_TIMER_MS}`, isDuration],
  signal: ["an AbortSignal", (value) => isObject(value) && "aborted" in value],
  function: ["a function", (value) => typeof value === "function"],
  "named texts": ["names with texts", (value) => isPlain(value) && Object.values(value).every(isText)],
  object: ["an object", isPlain],
  value: ["given", (value) => value !== undefined],
};

/** Returns whether `value` is a time that a timer can wait. */
export function isDuration(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= LONGEST_TIMER_MS;
}

/** Returns whether `value` can be the path of something. */
export function isPath(value: unknown): boolean {
  return isText(value) && value !== "";
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isPlain(value: unknown): value is object {
  return isObject(value) && !Array.isArray(value);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/**
 * Returns the check of one option's value for `caller`.
 *
 * @returns a function that throws a TypeError `<caller>: expected <name> to be <what>, got <value>` unless `isRight` says yes.
 */
export function optionCheck(
  caller: string,
): (name: string, value: unknown, what: string, isRight: (value: unknown) => boolean) => void {
  return (name, value, what, isRight) => {
    if (!isRight(value)) throw new TypeError(`${caller}: expected ${name} to be ${what}, got ${shown(value)}`);
  };
}

/** Returns whether `value` is a whole number from `lowest` to `highest`. */
export function isIntegerFrom(lowest: number, value: unknown, highest: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= lowest && value <= highest;
}

/** Never throws and runs no code of the value, which can be an object without a prototype or with getters of its own. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value).slice(0, 100);
  if (typeof value !== "object" && typeof value !== "function") return String(value);
  return inspect(value, { customInspect: false, depth: 1, breakLength: Infinity }).slice(0, 100);
}
