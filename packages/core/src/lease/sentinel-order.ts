/** What a keeper tells its sentinel: one JSON line each, every line the whole order. Pure; both ends use this file. */
import type { ProcessIdentity } from "../host/process-identity.ts";

/** Until when which run may live. */
export interface SentinelOrder {
  readonly nonce: string;
  /** The gateway; null before there is one. */
  readonly leader: ProcessIdentity | null;
  /** Nothing of the run may live from then on; milliseconds of `bootTimeMs`. */
  readonly endsAtMs: number;
  /** Was the gateway asked to end already? Nobody is asked twice. */
  readonly asked: boolean;
  /** Is it the order of a second sentinel, which the first one called for when its keeper had died? */
  readonly isRelief?: boolean;
}

/** The word that sends a sentinel home: nothing of the run is left. */
export const DISMISSED = "dismissed";

/** Returns the order as one line. */
export function formatOrder(order: SentinelOrder): string {
  return `${JSON.stringify(order)}\n`;
}

/** Returns what `line` says; undefined for half a line, by which nobody is killed and nobody spared. */
export function parseOrder(line: string): SentinelOrder | typeof DISMISSED | undefined {
  if (line === DISMISSED) return DISMISSED;
  try {
    const value = JSON.parse(line) as Partial<SentinelOrder> | null;
    return typeof value?.endsAtMs === "number" && typeof value.nonce === "string"
      ? (value as SentinelOrder)
      : undefined;
  } catch {
    return undefined;
  }
}
