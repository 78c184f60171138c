/**
 * The upper limit of memory for every gateway of one run, and what the history says about it. Where this host cannot enforce
 * it, the gateways run without it. Loaded only for a profile with such a limit.
 */
import type { MemoryCap } from "../host/memory-cap.ts";
import { capMemory } from "../host/memory-cap.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { sha256 } from "../sha256.ts";
import type { KeeperSpec } from "./keeper-spec.ts";

/** The limit of one run. */
export class GatewayCap {
  readonly #limitBytes: number;
  readonly #remark: (fact: string) => void;
  readonly #cap: MemoryCap | undefined;
  /** How many processes the kernel had killed at the limit when the present gateway was started. */
  #killsBefore = 0;

  /** Makes the control group. `remark` is called with one sentence when the limit is not in force. */
  constructor({ profile, lockDir }: KeeperSpec, limitBytes: number, remark: (fact: string) => void) {
    this.#limitBytes = limitBytes;
    this.#remark = remark;
    // Two homes may have a profile of the same name.
    this.#cap = capMemory(`lockkeeper-${profile}-${sha256(lockDir).slice(0, 8)}`, limitBytes);
    if (this.#cap === undefined) remark("the limit of its memory is not in force: no control group can be made");
  }

  /** Puts a gateway that was just started under the limit; null: its process was not seen. */
  admit(gateway: ProcessIdentity | null): void {
    if (this.#cap === undefined) return;
    this.#killsBefore = this.#cap.countKills() ?? 0;
    if (gateway !== null && !this.#cap.admit(gateway.pid)) {
      this.#remark("the limit of its memory is not in force: it cannot be moved into its control group");
    }
  }

  /** Says that the kernel has killed a process of the present gateway at the limit; undefined when it has not, or does not tell. */
  describeKill(): string | undefined {
    if ((this.#cap?.countKills() ?? 0) <= this.#killsBefore) return undefined;
    return `the kernel killed a process at the memory limit of ${this.#limitBytes / 2 ** 20} MiB`;
  }

  /** Removes the control group when no process is in it. */
  remove(): void {
    this.#cap?.remove();
  }
}
