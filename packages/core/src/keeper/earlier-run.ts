/**
 * Handles the living remains of the profile's earlier run, with the lock held: a gateway that has closed the lock's descriptor
 * and goes on serving, or other processes. For the keeper, before it publishes anything.
 */
import { GatewayLockError, LockkeeperError } from "../errors.ts";
import { judgeProcess } from "../host/process-identity.ts";
import { findRunProcesses, isInsideRun } from "../host/process-tree.ts";
import { carriesRun } from "../host/run-bond.ts";
import type { KeeperSpec } from "./keeper-spec.ts";
import type { RunRecord } from "./run-record.ts";
import type { Sparing } from "./sparing.ts";
import { tellApart } from "./sparing.ts";
import { stopProcessTree } from "./stop-ladder.ts";

/** Remaining processes get this long to end by themselves. */
const LITTER_TIMEOUT_MS = 2_000;

/**
 * On return no process of the earlier run lives, unless this process belongs to it.
 *
 * @throws {GatewayLockError} LOCK_HELD when its gateway lives: it still serves, and two gateways must not share one state.
 * @throws {LockkeeperError} STOP_INCOMPLETE when remaining processes do not end.
 */
export async function clearEarlierRun(spec: KeeperSpec, earlier: RunRecord | undefined): Promise<void> {
  if (earlier === undefined || earlier.profile !== spec.profile) return;
  const { gateway, nonce } = earlier;
  const marks = { nonce, profile: spec.home === undefined ? undefined : spec.profile, home: spec.home };
  if (gateway !== null && judgeProcess(gateway) === "alive" && carriesRun(gateway.pid, marks)) {
    throw new GatewayLockError("LOCK_HELD", `gateway already running (pid ${gateway.pid}), without a keeper`, {
      ownerPid: gateway.pid,
      hint: `It has let go of its lock. Stop it first, or restart it: lockkeeper restart ${spec.profile}`,
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

/** Processes that the end of that run spared are spared here too. */
function sparingAfter({ spares, lockDir }: KeeperSpec, { gateway, port }: RunRecord): Sparing | undefined {
  if (spares === undefined) return undefined;
  const block = { first: port, last: port + spares.last - spares.first };
  return { lockDir, sessions: gateway === null ? [] : [gateway.pid], block };
}
