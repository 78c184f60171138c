/**
 * Looks for daemons that a gateway's command started, while it runs. When keeper and gateway are killed at once, the run record
 * alone shows that such a listener came from this run.
 */
import { findLockHeirs } from "../host/lock-holders.ts";
import type { ProcessTreeQuery } from "../host/process-tree.ts";
import { readRunNonce } from "../host/run-bond.ts";
import type { GatewayLock } from "../lock/gateway-lock.ts";
import type { KeeperSpec } from "./keeper-spec.ts";
import { findOutsideSockets, findUnmarkedSockets } from "./outside-sockets.ts";
import type { OutsideSocket } from "./outside-sockets.ts";

/** How often a run without a health check is looked at: for two minutes, as a look costs milliseconds. */
const LOOKS = 12;

/** The looks at one gateway after another. */
export class OutsideWatch {
  readonly #spec: KeeperSpec;
  readonly #lock: GatewayLock;
  /** Only a run without a health check can go on with a listener outside of it. */
  readonly #goesOnOutside: boolean;
  /** How many looks are left for the present gateway. */
  #looksLeft = 0;

  /** @param lock the run's own: its processes inherit the descriptor. */
  constructor(spec: KeeperSpec, lock: GatewayLock) {
    this.#spec = spec;
    this.#lock = lock;
    this.#goesOnOutside = spec.health.kind === "none";
  }

  /** A new gateway was started. */
  begin(): void {
    this.#looksLeft = this.#goesOnOutside ? LOOKS : 1;
  }

  /** Returns the sockets that the run must list; undefined when the present gateway was looked at often enough. */
  look(run: ProcessTreeQuery): readonly OutsideSocket[] | undefined {
    if (this.#looksLeft === 0) return undefined;
    this.#looksLeft -= 1;
    const heirs = new Set<number>();
    const isMarked = (pid: number): boolean => {
      if (heirs.size === 0) for (const heir of findLockHeirs(this.#lock.fd)) heirs.add(heir.pid);
      return heirs.has(pid) || readRunNonce(pid) === run.nonce;
    };
    return [...findUnmarkedSockets(this.#spec, run, isMarked), ...this.find(run)];
  }

  /** Returns the sockets outside of the run that began to listen during it. Only its living tree shows which those are. */
  find(run: ProcessTreeQuery): readonly OutsideSocket[] {
    return this.#goesOnOutside ? findOutsideSockets(this.#spec, run) : [];
  }
}
