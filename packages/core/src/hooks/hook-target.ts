/** Whom a hook calls, and how that is shown to people: of a URL scheme and host only, for the rest may be a secret. */

/** Whom one hook calls. */
export type HookTarget =
  | { readonly kind: "program"; readonly path: string }
  /** `shown` is what people see of it. */
  | { readonly kind: "url"; readonly url: string; readonly shown: string }
  /** What was configured cannot be called, and why. */
  | { readonly kind: "unusable"; readonly shown: string; readonly fault: string };

/** Returns a target as people may see it. */
export function describeTarget(target: HookTarget): string {
  return target.kind === "program" ? target.path : target.shown;
}

/** What follows the host of a URL, and the user before it. */
const SECRET_OF_URL = /^(https?:\/\/)(?:[^/?#]*@)?([^/?#]*).*$/is;

/** Returns what was written down as a target as people may see it: scheme and host of a URL, all of anything else. */
export function shownTarget(text: string): string {
  return text.replace(SECRET_OF_URL, "$1$2");
}
