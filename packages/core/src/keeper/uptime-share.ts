/** The share of a period in which a gateway was running, by its history. Pure. */
import type { HistoryEvent } from "./history.ts";
import type { PublishedState } from "./run-record.ts";

/** States in which it need not run: stopped on request, or owned by another host. */
const AT_REST: ReadonlySet<PublishedState> = new Set(["stopped", "stopping", "standby"]);

/**
 * Returns the share of the time from `fromMs` to `nowMs` in which it was running, from 0 to 1, without time at rest; null when
 * it was never meant to run, or the history does not say.
 *
 * @param events oldest first.
 * @param present the present state: the time since the last event counts only when that event agrees with it.
 */
export function uptimeShare(
  events: readonly HistoryEvent[],
  present: string,
  fromMs: number,
  nowMs: number,
): number | null {
  let [upMs, downMs] = [0, 0];
  const changes = events.filter(({ note }) => note !== true);
  for (const [index, { at, state }] of changes.entries()) {
    const next = changes[index + 1];
    if (next === undefined && state !== present) break;
    const begin = Math.max(fromMs, Date.parse(at));
    const end = Math.min(nowMs, next === undefined ? nowMs : Date.parse(next.at));
    // A clock that was set back adds no time.
    const spanMs = Math.max(0, end - begin) || 0;
    if (state === "running") upMs += spanMs;
    else if (!AT_REST.has(state)) downMs += spanMs;
  }
  return upMs + downMs === 0 ? null : upMs / (upMs + downMs);
}
