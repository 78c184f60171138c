/**
 * Removes secrets from output: known secret values in every form in which programs print them, and values after a name that
 * looks like a secret's. Pure. A secret that nothing identifies stays.
 */

const HIDDEN = "***";

/** Shorter values (`true`, `8080`) would hide half of a text and are not secrets. */
const SHORTEST = 6;

/** What identifies a secret. */
interface Sign {
  /** In small letters. A text without any of them cannot match; to look for them costs less than to compile the expression. */
  readonly parts: readonly string[];
  readonly expression: () => RegExp;
  readonly shown: string;
}

const SIGNS: readonly Sign[] = [
  {
    // A name that ends like a secret's, and its value.
    parts: ["token", "secret", "passw", "passphrase", "key", "credential"],
    expression: () =>
      /((?:token|secret|password|passwd|passphrase|api[-_]?key|private[-_]?key|credentials?)["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}/gi,
    shown: `$1${HIDDEN}`,
  },
  { parts: ["bearer", "basic"], expression: () => /\b(Bearer|Basic)(\s+)[\w.~+/=-]{8,}/gi, shown: `$1$2${HIDDEN}` },
  // The user and password of an address.
  { parts: ["@"], expression: () => /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, shown: `$1${HIDDEN}@` },
];

/** Returns the texts to search: each value, each of its long lines, and both as encoded in addresses and JSON; longest first. */
export function formsOf(secrets: readonly string[]): readonly string[] {
  const parts = secrets.flatMap((secret) => [secret, ...secret.split("\n")]).map((part) => part.trim());
  const forms = parts
    .filter((part) => part.length >= SHORTEST)
    .flatMap((part) => [part, inAddresses(part), JSON.stringify(part).slice(1, -1)]);
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

/** Returns the value as encoded in an address. Halves of surrogate pairs are left out, as they cannot be encoded. */
function inAddresses(part: string): string {
  try {
    return encodeURIComponent(part);
  } catch {
    return encodeURIComponent(part.replaceAll(/\p{Surrogate}/gu, ""));
  }
}

/** Returns `text` without the secrets. `forms` are from {@link formsOf}. */
export function withoutSecrets(text: string, forms: readonly string[]): string {
  const known = forms.reduce((rest, form) => rest.replaceAll(form, HIDDEN), text);
  const small = known.toLowerCase();
  return SIGNS.filter(({ parts }) => parts.some((part) => small.includes(part))).reduce(
    (rest, { expression, shown }) => rest.replaceAll(expression(), shown),
    known,
  );
}
