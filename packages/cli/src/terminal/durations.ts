/** Writes lengths of time for people. Pure. */

/** A text in minutes, such as a clock, may be this late. */
const LATE_MS = 10_000;

/** Returns `45s`, `12m`, `3h 5m`, `9d 4h`: the two largest units, rounded down. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours}h` : `${hours}h ${minutes % 60}m`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days}d` : `${days}d ${hours % 24}h`;
}

/** Returns how long a view of the times since these moments can stay as it is: in the first minute seconds are shown. */
export function textLifeMs(since: readonly (string | null)[], now: number): number {
  return since.some((moment) => moment !== null && now - Date.parse(moment) < 60_000) ? 1_000 : LATE_MS;
}
