/**
 * The order that a keeper sends to its sentinel: one JSON line each time, always the whole order. Pure; both ends use this
 * file.
 */
import type { ProcessIdentity } from "../host/process-identity.ts";

/** Which run may live, and until when. */
export interface SentinelOrder {
  readonly nonce: string;
  /** The gateway; null before there is one. */
  readonly leader: ProcessIdentity | null;
  /** From then on no process of the run may live; milliseconds of `bootTimeMs`. */
  readonly endsAtMs: number;
  /** Whether the gateway was asked to end already. It is asked only once. */
  readonly asked: boolean;
  /** Whether this is the order of a second sentinel, started by the first one after its keeper had died. */
  readonly isRelief?: boolean;
}

/** The word that dismisses a sentinel: no process of the run is left. */
export const DISMISSED = "dismissed";

/** Returns the order as one line. */
export function formatOrder(order: SentinelOrder): string {
  return `${JSON.stringify(order)}\n`;
}

/** Returns the order in `line`; undefined for an incomplete line, which changes nothing. */
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
