/**
 * Takes secrets out of text that others printed: values that are known to be secret, in every form in which programs print
 * them, and what looks like one by the name before it. Pure. What nobody can know to be a secret stays.
 */

const HIDDEN = "***";

/** Shorter ones (`true`, `8080`) would hide half of a text and are no secrets. */
const SHORTEST = 6;

/** A name that ends like a secret's, and its value; `Bearer` and its value; the user and password of an address. */
const BY_NAME =
  /((?:token|secret|password|passwd|passphrase|api[-_]?key|private[-_]?key|credentials?)["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}/gi;
const BY_SCHEME = /\b(Bearer|Basic)(\s+)[\w.~+/=-]{8,}/gi;
const BY_ADDRESS = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** Returns what to look for: each value, each long line of it, and both as addresses and JSON have them; longest first. */
export function formsOf(secrets: readonly string[]): readonly string[] {
  const parts = secrets.flatMap((secret) => [secret, ...secret.split(/\r?\n/)]).map((part) => part.trim());
  const forms = parts
    .filter((part) => part.length >= SHORTEST)
    .flatMap((part) => [
      part,
      encodeURIComponent(part.replaceAll(/\p{Surrogate}/gu, "")),
      JSON.stringify(part).slice(1, -1),
    ]);
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

/** Returns `text` without them. `forms` are from {@link formsOf}. */
export function withoutSecrets(text: string, forms: readonly string[]): string {
  const known = forms.reduce((rest, form) => rest.replaceAll(form, HIDDEN), text);
  return known
    .replaceAll(BY_NAME, `$1${HIDDEN}`)
    .replaceAll(BY_SCHEME, `$1$2${HIDDEN}`)
    .replaceAll(BY_ADDRESS, `$1${HIDDEN}@`);
}
