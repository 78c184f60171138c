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

/** A config nests a few levels; what lies deeper than this was put there to exhaust the stack. */
const MAX_DEPTH = 100;

/**
 * Returns `document` without its secrets, and their paths: `channels.telegram.botToken`. What lies too deep is dropped whole: nobody
 * has looked for secrets in it.
 */
export function withoutSecrets(
  document: unknown,
  at = "",
  depth = 0,
): { readonly clean: unknown; readonly dropped: readonly string[] } {
  if (depth > MAX_DEPTH) return { clean: undefined, dropped: [at] };
  if (typeof document !== "object" || document === null) return { clean: document, dropped: [] };
  const dropped: string[] = [];
  const keep = (key: string, value: unknown): unknown => {
    const inner = withoutSecrets(value, at === "" ? key : `${at}.${key}`, depth + 1);
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

/** Returns every secret in `document` with its path; nothing that lies too deep to be a setting. */
export function* secretsIn(
  document: unknown,
  at = "",
  depth = 0,
): Generator<{ readonly where: string; readonly secret: string }> {
  if (typeof document !== "object" || document === null || depth > MAX_DEPTH) return;
  for (const [key, value] of Object.entries(document) as [string, unknown][]) {
    const where = at === "" ? key : `${at}.${key}`;
    if (typeof value !== "string") yield* secretsIn(value, where, depth + 1);
    else if (value !== "" && isSecretName(key)) yield { where, secret: value };
  }
}
