/**
 * The one rule for wrong arguments of a function: a TypeError with the expected and the given value, before anything is
 * touched. Input that a person typed or wrote into a file is parsed earlier, and its faults are documented errors. Pure.
 */
import { nearestNames } from "./nearest-names.ts";

/** The options of a function, by name; `needed`: it has no default. */
export type KnownOptions = Readonly<Record<string, true | "needed">>;

/**
 * Returns when `options` has only keys of `known`, and all that are needed; otherwise a misspelt option would silently have its
 * default.
 *
 * @param caller the function that was called, for the message.
 * @throws {TypeError} naming the first unknown key and the nearest known one, or the first missing one.
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
  for (const [key, need] of Object.entries(known)) {
    if (need === "needed" && Reflect.get(options, key) === undefined) {
      throw new TypeError(`${caller}: expected the option ${key}, got undefined`);
    }
  }
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

function shown(value: unknown): string {
  return typeof value === "string" || Array.isArray(value) ? JSON.stringify(value).slice(0, 100) : String(value);
}
