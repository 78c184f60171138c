/**
 * Finds where a run listens instead of its port, while its port has no listener. During a start the ports opened so far decide
 * nothing: a debugger, a metrics port or a helper often comes first. Only the right port on a wrong address cannot become
 * right by waiting.
 */
import { isIP } from "node:net";

import { hostWithPort } from "../host/address.ts";
import type { Listener } from "../host/listener.ts";
import type { ProcessTreeQuery } from "../host/process-tree.ts";
import { coversAddress } from "../host/sockets.ts";
import { findRunListeners } from "./port-view.ts";

/** The block of a run: where it should listen, and how many ports from there on belong to it. */
export interface RunBlock {
  readonly host: string;
  readonly port: number;
  readonly span: number;
}

/** The ports that a run has opened while its own port has no listener. */
export interface Elsewhere {
  /** All of them, for display. */
  readonly addresses: string;
  /**
   * `other-address`: the right port on a wrong address. `other-port`: the gateway itself, outside of its block. `aside`: ports
   * of its block, or of a helper; proof of nothing.
   */
  readonly how: "other-address" | "other-port" | "aside";
  /** The address that has the right port. */
  readonly address?: string;
}

/** Each check walks all processes. */
const LOOK_MS = 250;
/** Where many gateways start at once, checks take at most one part in this many of the time. */
const SHARE = 20;
/** A server that opens one address after the other has finished within this time. */
const SETTLE_MS = 1_000;

/** One per attempt to start. */
export class ElsewhereWatch {
  readonly #block: RunBlock;
  readonly #run: ProcessTreeQuery;
  #lookAt = LOOK_MS;
  #seen: Elsewhere | undefined;
  #otherAddressSince: number | undefined;

  constructor(block: RunBlock, run: ProcessTreeQuery) {
    this.#block = block;
    this.#run = run;
  }

  /** Returns where the run listens, `waitedMs` after its start; undefined: nowhere. */
  look(waitedMs: number): Elsewhere | undefined {
    if (waitedMs < this.#lookAt) return this.#seen;
    const begunAt = performance.now();
    this.#seen = judgeListeners(this.#block, findRunListeners(this.#run), this.#run.leader?.pid);
    this.#lookAt = waitedMs + Math.max(LOOK_MS, SHARE * (performance.now() - begunAt));
    const isOther = this.#seen?.how === "other-address";
    this.#otherAddressSince = isOther ? (this.#otherAddressSince ?? waitedMs) : undefined;
    return this.#seen;
  }

  /** Returns whether waiting is pointless: the right port has been on a wrong address for long enough. */
  isSettled(waitedMs: number): boolean {
    return this.#otherAddressSince !== undefined && waitedMs - this.#otherAddressSince >= SETTLE_MS;
  }
}

/**
 * Judges the listeners of a run, by the pids that hold them. Pure. Undefined also when one of them is in the right place: it
 * began to listen after the caller's check, and the next check finds it.
 */
export function judgeListeners(
  { host, port, span }: RunBlock,
  listeners: ReadonlyMap<Listener, number>,
  leader: number | undefined,
): Elsewhere | undefined {
  if (listeners.size === 0) return undefined;
  const all = [...listeners];
  if (all.some(([listener]) => listener.port === port && isWhereAsked(listener, host))) return undefined;
  const addresses = all.map(([listener]) => hostWithPort(listener.address, listener.port)).join(", ");
  const [same] = all.find(([listener]) => listener.port === port) ?? [];
  if (same !== undefined) return { how: "other-address", addresses, address: same.address };
  const strays = all.some(([listener, pid]) => {
    const inBlock = listener.port >= port && listener.port < port + span;
    return pid === leader && !inBlock;
  });
  return { how: strays ? "other-port" : "aside", addresses };
}

/** A `::` may be for IPv6 alone; the caller has checked that. */
function isWhereAsked(listener: Listener, host: string): boolean {
  if (listener.family === 6 && isIP(host) === 4) return false;
  return coversAddress(listener, host) === "yes";
}
