/** The target of a hook, and its form for display: only scheme and host of a URL, because the rest may be a secret. */

/** The target of one hook. */
export type HookTarget =
  | { readonly kind: "program"; readonly path: string }
  /** `shown` is the form for display. */
  | { readonly kind: "url"; readonly url: string; readonly shown: string }
  /** The configured target cannot be called, and why. */
  | { readonly kind: "unusable"; readonly shown: string; readonly fault: string };

/** Returns a target in its form for display. */
export function describeTarget(target: HookTarget): string {
  return target.kind === "program" ? target.path : target.shown;
}

/** Matches a URL's user and everything after its host. */
const SECRET_OF_URL = /^(https?:\/\/)(?:[^/?#]*@)?([^/?#]*).*$/is;

/** Returns a configured target in its form for display: scheme and host of a URL, the whole of anything else. */
export function shownTarget(text: string): string {
  return text.replace(SECRET_OF_URL, "$1$2");
}
