/** Options objects that are taken at their word: a key that means nothing is refused, not ignored. Pure. */
import { nearestNames } from "./nearest-names.ts";

/**
 * Returns when `options` has no key beside those of `known`; a misspelt option would otherwise have its default without a word.
 *
 * @param caller the function that was called, for the message.
 * @throws {TypeError} naming the first unknown key and the nearest known one.
 */
export function refuseUnknownOptions(caller: string, options: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${caller}: expected an object of options, got ${options === null ? "null" : typeof options}`);
  }
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(known, key)) continue;
    const near = nearestNames(key, Object.keys(known));
    const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : `known are ${Object.keys(known).join(", ")}`;
    throw new TypeError(`${caller}: unknown option ${JSON.stringify(key)}; ${hint}`);
  }
}
