/** Sums up the cycles of a lease's torture, and names those that break the promise. Pure. */
import type { Cycle, Fault } from "./lease-torture.ts";

/**
 * A host that was paused as a whole writes until its sentinel, which was paused too, looks at the clock again: every 50
 * ms. The delays of a busy machine come on top.
 */
export const WAKING_MS = 250;

/**
 * Returns what is wrong with a cycle of a lease that should keep its promise; undefined when nothing is.
 *
 * @param wakingMs how long a host may write after it woke, on a machine that is not busy. @default Infinity
 */
export function findBreach(cycle: Cycle, wakingMs: number = Infinity): string | undefined {
  const { fault, acceptedStale, staleWrites, lateMs } = cycle;
  if (acceptedStale > 0) return `${acceptedStale} stale writes had a token that was not smaller`;
  if (fault === "pause-host") return (lateMs ?? 0) > wakingMs ? `it wrote for ${lateMs} ms after it woke` : undefined;
  return staleWrites > 0 ? `${staleWrites} writes beside the next owner` : undefined;
}

/**
 * Returns a row for each fault: its count, the worst overlap, stale writes, and when the old owner ended and the new one
 * began.
 */
export function formatCycles(title: string, cycles: readonly Cycle[]): string {
  const faults = [...new Set(cycles.map(({ fault }) => fault))];
  const rows = faults.map((fault) =>
    formatFault(
      fault,
      cycles.filter((cycle) => cycle.fault === fault),
    ),
  );
  return [
    title,
    "fault | cycles | with two owners | longest, ms | stale writes | old gone, ms | new owner, ms",
    ...rows,
  ].join("\n");
}

function formatFault(fault: Fault, cycles: readonly Cycle[]): string {
  const both = cycles.filter(({ staleWrites }) => staleWrites > 0);
  const longest =
    fault === "pause-host" ? cycles.map(({ lateMs }) => lateMs ?? 0) : cycles.map((each) => each.overlapMs);
  const stale = cycles.map(({ staleWrites }) => staleWrites);
  const cells = [fault, cycles.length, both.length, Math.round(Math.max(0, ...longest)), rangeOf(stale)];
  return [...cells, rangeOf(cycles.map(({ oldGoneMs }) => oldGoneMs)), rangeOf(cycles.map(({ newMs }) => newMs))].join(
    " | ",
  );
}

function rangeOf(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  const [least] = known;
  const most = known.at(-1);
  if (least === undefined || most === undefined) return "-";
  const without = values.length - known.length;
  return `${least === most ? least : `${least}-${most}`}${without === 0 ? "" : ` (${without} without)`}`;
}
