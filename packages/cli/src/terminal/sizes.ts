/** Writes amounts of data for people. Pure. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Returns `512 B`, `1.5 KiB`, `12 MiB`: one digit after the point below ten. */
export function formatSize(sizeBytes: number): string {
  let amount = sizeBytes;
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && amount < 10 ? 1 : 0;
  return `${amount.toFixed(digits)} ${UNITS[unit]}`;
}

/** Returns `1.5 GiB`, or `1.5 GiB/2.0 GiB` where there is a limit. */
export function formatAgainst(sizeBytes: number, limitBytes: number | null): string {
  return limitBytes === null ? formatSize(sizeBytes) : `${formatSize(sizeBytes)}/${formatSize(limitBytes)}`;
}

/** Returns the lowest of the limits that there are; null when there is none. */
export function lowestLimit(...limitsBytes: readonly (number | null)[]): number | null {
  const known = limitsBytes.filter((limit) => limit !== null);
  return known.length === 0 ? null : Math.min(...known);
}
