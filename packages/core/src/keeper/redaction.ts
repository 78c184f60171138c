/**
 * Removes secrets from output: known secret values in every form in which programs print them, and values after a name that
 * looks like a secret's. Pure. A secret that nothing identifies stays.
 */

const HIDDEN = "***";

/** Shorter values (`true`, `8080`) would hide half of a text and are not secrets. */
const SHORTEST = 6;

/** A name that ends like a secret's, and its value; `Bearer` and its value; the user and password of an address. */
const BY_NAME =
  /((?:token|secret|password|passwd|passphrase|api[-_]?key|private[-_]?key|credentials?)["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}/gi;
const BY_SCHEME = /\b(Bearer|Basic)(\s+)[\w.~+/=-]{8,}/gi;
const BY_ADDRESS = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** Returns the texts to search: each value, each of its long lines, and both as encoded in addresses and JSON; longest first. */
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

/** Returns `text` without the secrets. `forms` are from {@link formsOf}. */
export function withoutSecrets(text: string, forms: readonly string[]): string {
  const known = forms.reduce((rest, form) => rest.replaceAll(form, HIDDEN), text);
  return known
    .replaceAll(BY_NAME, `$1${HIDDEN}`)
    .replaceAll(BY_SCHEME, `$1$2${HIDDEN}`)
    .replaceAll(BY_ADDRESS, `$1${HIDDEN}@`);
}
