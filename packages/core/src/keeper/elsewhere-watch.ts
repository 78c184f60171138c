/**
 * Where a run listens instead of its port, while nobody listens there. What has opened so far decides nothing on a start that has
 * time left: a debugger, a metrics port or a helper often comes first. Only the right port on another address cannot
 * become right by waiting.
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

/** What a run has opened while nobody listens where it should. */
export interface Elsewhere {
  /** All of them, for a person. */
  readonly addresses: string;
  /**
   * `other-address`: the right port, where nobody looks for it. `other-port`: the gateway itself, outside of its block.
   * `aside`: ports of its block, or of a helper; no evidence of anything.
   */
  readonly how: "other-address" | "other-port" | "aside";
  /** The address that has the right port. */
  readonly address?: string;
}

/** A look costs a walk over the processes. */
const LOOK_MS = 250;
/** A server that opens one address after the other is done within this. */
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

  /** Returns what the run listens on, `waitedMs` after its start; undefined: on nothing. */
  look(waitedMs: number): Elsewhere | undefined {
    if (waitedMs < this.#lookAt) return this.#seen;
    this.#lookAt = waitedMs + LOOK_MS;
    this.#seen = judgeListeners(this.#block, findRunListeners(this.#run), this.#run.leader?.pid);
    const isOther = this.#seen?.how === "other-address";
    this.#otherAddressSince = isOther ? (this.#otherAddressSince ?? waitedMs) : undefined;
    return this.#seen;
  }

  /** Returns whether waiting cannot help: the right port has been on another address for long enough. */
  isSettled(waitedMs: number): boolean {
    return this.#otherAddressSince !== undefined && waitedMs - this.#otherAddressSince >= SETTLE_MS;
  }
}

/**
 * Returns what listeners of a run, by the pids that hold them, say of where it went. Pure. Undefined also when one of them is
 * where it should be: it has begun to listen since the caller looked, and the next look finds it.
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

/** A `::` may be for IPv6 alone, which the caller has found out by then. */
function isWhereAsked(listener: Listener, host: string): boolean {
  if (listener.family === 6 && isIP(host) === 4) return false;
  return coversAddress(listener, host) === "yes";
}
