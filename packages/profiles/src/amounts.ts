/** Lengths of time and sizes as people write them: `500ms`, `90s`, `2G`. Reading and writing are inverse. Pure. */

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const KIBI = 1024;
const BYTES: Readonly<Record<string, number>> = { K: KIBI, M: KIBI ** 2, G: KIBI ** 3, T: KIBI ** 4 };

/** The longest wait that a timer of Node can hold. Source: Node's timers clamp above 2^31-1 ms. */
export const LONGEST_DURATION_MS = 2_147_483_647;

/** Returns the milliseconds of `30` (seconds), `30s`, `500ms`, `2m`, `1h`, `1d`; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,10}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  const factor = MILLISECONDS[unit ?? "s"];
  return amount === undefined || factor === undefined ? undefined : Math.round(Number(amount) * factor);
}

/** Returns the bytes of `512M`, `2G`, `1.5GiB`, `1536B`; units count in 1024 and must be given. Undefined for anything else. */
export function parseSizeBytes(text: string): number | undefined {
  const [, bytes] = /^(\d{1,15}) ?B$/.exec(text) ?? [];
  if (bytes !== undefined) return Number(bytes);
  const [, amount, unit] = /^(\d{1,10}(?:\.\d{1,3})?)([KMGT])(?:iB|B)?$/i.exec(text) ?? [];
  const factor = BYTES[unit?.toUpperCase() ?? ""];
  return amount === undefined || factor === undefined ? undefined : Math.round(Number(amount) * factor);
}

/** Returns the duration in the largest unit that divides it, as {@link parseDurationMs} reads it. */
export function formatDurationMs(durationMs: number): string {
  return inLargestUnit(durationMs, MILLISECONDS) ?? `${durationMs}ms`;
}

/** Returns the size in the largest unit that divides it, as {@link parseSizeBytes} reads it; else in bytes. */
export function formatSizeBytes(sizeBytes: number): string {
  return inLargestUnit(sizeBytes, BYTES) ?? `${sizeBytes} B`;
}

function inLargestUnit(amount: number, units: Readonly<Record<string, number>>): string | undefined {
  for (const [unit, factor] of Object.entries(units).toReversed()) {
    if (amount >= factor && amount % factor === 0) return `${amount / factor}${unit}`;
  }
  return undefined;
}
