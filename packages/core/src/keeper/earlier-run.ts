/**
 * Handles the living remains of the profile's earlier run, with the lock held: a gateway that has closed the lock's descriptor
 * and goes on serving, or other processes. For the keeper, before it publishes anything.
 */
import { GatewayLockError, LockkeeperError } from "../errors.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { judgeProcess } from "../host/process-identity.ts";
import { findRunProcesses, isInsideRun } from "../host/process-tree.ts";
import type { RunMarks } from "../host/run-bond.ts";
import { carriesRun } from "../host/run-bond.ts";
import { holdsDisplacedLock } from "../lock/displaced-lock.ts";
import type { KeeperSpec } from "./keeper-spec.ts";
import type { RunRecord } from "./run-record.ts";
import { isResting } from "./run-record.ts";
import type { Sparing } from "./sparing.ts";
import { tellApart } from "./sparing.ts";
import { stopProcessTree } from "./stop-ladder.ts";
import { findSurvivingServer } from "./surviving-server.ts";

/** Remaining processes get this long to end by themselves. */
const LITTER_TIMEOUT_MS = 2_000;

/**
 * On return no process of the earlier run lives, unless this process belongs to it.
 *
 * @throws {GatewayLockError} LOCK_HELD when its gateway still serves, or its keeper lives and somebody has replaced its lock file:
 * two gateways must not share one state.
 * @throws {LockkeeperError} STOP_INCOMPLETE when remaining processes do not end.
 */
export async function clearEarlierRun(spec: KeeperSpec, earlier: RunRecord | undefined): Promise<void> {
  if (earlier === undefined || earlier.profile !== spec.profile) return;
  const { nonce, keeper } = earlier;
  if (
    keeper !== null &&
    // A keeper that starts its gateway again, or adopts one, is not its own rival.
    keeper.pid !== process.pid &&
    !isResting(earlier.state) &&
    judgeProcess(keeper) === "alive" &&
    holdsDisplacedLock(keeper.pid, spec)
  ) {
    throw new GatewayLockError("LOCK_HELD", `gateway already running (pid ${keeper.pid}), its lock file was replaced`, {
      ownerPid: keeper.pid,
      hint: `Stop it first, or restart it: lockkeeper restart ${spec.profile}`,
    });
  }
  const marks = { nonce, profile: spec.home === undefined ? undefined : spec.profile, home: spec.home };
  const gateway = findLivingGateway(earlier, marks);
  if (gateway !== null) {
    throw new GatewayLockError("LOCK_HELD", `gateway already running (pid ${gateway.pid}), without a keeper`, {
      ownerPid: gateway.pid,
      hint: `It has released its lock. Stop it first, or restart it: lockkeeper restart ${spec.profile}`,
    });
  }
  const litter = { leader: null, ...marks };
  const sparing = sparingAfter(spec, earlier);
  const { own } = tellApart(findRunProcesses(litter), sparing);
  if (spec.sparesEarlierRun === true || own.length === 0 || isInsideRun(litter)) return;
  const { host } = spec;
  const order = { ...litter, sparing, host, ports: [], timeoutMs: LITTER_TIMEOUT_MS };
  const { outcome, detail } = await stopProcessTree(order);
  if (outcome === "stopped") return;
  throw new LockkeeperError("STOP_INCOMPLETE", `an earlier run of ${spec.profile} is not over: ${detail}`, {
    hint: `lockkeeper stop ${spec.profile}`,
  });
}

/** The recorded gateway, or a child of it that serves in its place; a run that is over has only left litter. */
function findLivingGateway(earlier: RunRecord, marks: RunMarks): ProcessIdentity | null {
  const { gateway } = earlier;
  if (gateway !== null && judgeProcess(gateway) === "alive" && carriesRun(gateway.pid, marks)) return gateway;
  return isResting(earlier.state) ? null : findSurvivingServer(earlier, (pid) => carriesRun(pid, marks));
}

/** Processes that the end of that run spared are spared here too. */
function sparingAfter({ spares, lockDir }: KeeperSpec, { gateway, port }: RunRecord): Sparing | undefined {
  if (spares === undefined) return undefined;
  const block = { first: port, last: port + spares.last - spares.first };
  return { lockDir, sessions: gateway === null ? [] : [gateway.pid], block };
}
