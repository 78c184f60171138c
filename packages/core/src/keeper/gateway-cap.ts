/**
 * The upper limit of memory for every gateway of one run, and what the history says about it. Where this host cannot enforce
 * it, the gateways run without it. Loaded only for a profile with such a limit.
 */
import { capMemory } from "../host/memory-cap.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { sha256 } from "../sha256.ts";
import type { KeeperSpec } from "./keeper-spec.ts";

/** The limit of one run. */
export interface GatewayCap {
  /** Puts a gateway that was just started under the limit; null: its process was not seen. */
  readonly admit: (gateway: ProcessIdentity | null) => void;
  /** Says that the kernel has killed a process of the present gateway at the limit; undefined when nothing is known of that. */
  readonly describeKill: () => string | undefined;
  /** Removes the control group when no process is in it. */
  readonly remove: () => void;
}

/**
 * Returns the limit of `limitBytes`, or undefined where no control group can be made.
 *
 * @param remark called with one sentence when the limit is not in force.
 */
export function capGateways(
  { profile, lockDir }: Pick<KeeperSpec, "profile" | "lockDir">,
  limitBytes: number,
  remark: (fact: string) => void,
): GatewayCap | undefined {
  // Two homes may have a profile of the same name.
  const cap = capMemory(`lockkeeper-${profile}-${sha256(lockDir).slice(0, 8)}`, limitBytes);
  if (cap === undefined) {
    remark("the limit of its memory is not in force: no control group can be made");
    return undefined;
  }
  let killsBefore = 0;
  return {
    admit(gateway) {
      killsBefore = cap.countKills() ?? 0;
      if (gateway !== null && !cap.admit(gateway.pid)) {
        remark("the limit of its memory is not in force: it cannot be moved into its control group");
      }
    },
    describeKill() {
      if ((cap.countKills() ?? 0) <= killsBefore) return undefined;
      return `the kernel killed a process at the memory limit of ${limitBytes / 2 ** 20} MiB`;
    },
    remove: cap.remove,
  };
}
