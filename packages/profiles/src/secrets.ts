/**
 * What counts as a secret, judged by the name of a setting or a variable. One rule for the code that omits, hides or compares
 * secrets. Pure.
 */

/** The end of a key or variable whose value is a secret: `botToken`, `API_KEY`. */
const SECRET_NAME = /(?:token|secret|password|passwd|passphrase|api[-_]?key|private[-_]?key|credential)s?$/i;

/** Returns whether a setting of that name holds a secret when its value is text. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Returns `document` without its secrets, and their paths: `channels.telegram.botToken`. */
export function withoutSecrets(
  document: unknown,
  at = "",
): { readonly clean: unknown; readonly dropped: readonly string[] } {
  if (typeof document !== "object" || document === null) return { clean: document, dropped: [] };
  const dropped: string[] = [];
  const keep = (key: string, value: unknown): unknown => {
    const inner = withoutSecrets(value, at === "" ? key : `${at}.${key}`);
    dropped.push(...inner.dropped);
    return inner.clean;
  };
  if (Array.isArray(document)) {
    const items: readonly unknown[] = document;
    return { clean: items.map((value, index) => keep(String(index), value)), dropped };
  }
  const kept = Object.entries(document).flatMap(([key, value]: [string, unknown]) => {
    if (typeof value === "string" && value !== "" && isSecretName(key)) {
      dropped.push(at === "" ? key : `${at}.${key}`);
      return [];
    }
    return [[key, keep(key, value)] as const];
  });
  return { clean: Object.fromEntries(kept), dropped };
}

/** Returns every secret in `document` with its path. */
export function* secretsIn(document: unknown, at = ""): Generator<{ readonly where: string; readonly secret: string }> {
  if (typeof document !== "object" || document === null) return;
  for (const [key, value] of Object.entries(document) as [string, unknown][]) {
    const where = at === "" ? key : `${at}.${key}`;
    if (typeof value !== "string") yield* secretsIn(value, where);
    else if (value !== "" && isSecretName(key)) yield { where, secret: value };
  }
}
