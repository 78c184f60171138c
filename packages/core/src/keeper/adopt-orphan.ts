/**
 * A supervised start that finds its own profile's orphan, a gateway without a keeper: it becomes the keeper and stays in the
 * foreground, because otherwise nothing would restart the gateway. The orphan goes on holding the profile's lock; a second
 * lock beside it makes sure that it has only one keeper. An orphan with a lease is never adopted; its end is awaited.
 */
import { join } from "node:path";

import { LockkeeperError } from "../errors.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { judgeProcess } from "../host/process-identity.ts";
import { bondOf } from "../host/process-signal.ts";
import type { ProcessTreeQuery } from "../host/process-tree.ts";
import type { RunBond } from "../host/run-bond.ts";
import { standingOf } from "../host/run-bond.ts";
import { withFileMutex } from "../lock/file-mutex.ts";
import { aborted, pause } from "../pause.ts";
import { adoptGateway } from "./gateway-process.ts";
import type { FinalFinding } from "./gateway-watch.ts";
import { watchGateway } from "./gateway-watch.ts";
import type { KeeperOutcome, KeeperSpec } from "./keeper-spec.ts";
import { GatewayLog } from "./log-rotation.ts";
import { MemoryWatch } from "./memory-guard.ts";
import { readEarlierRun, RunPublisher } from "./run-publisher.ts";
import type { RunRecord } from "./run-record.ts";
import { isResting } from "./run-record.ts";
import type { StopResult } from "./stop-ladder.ts";
import { stopProcessTree } from "./stop-ladder.ts";
import { findSurvivingServer } from "./surviving-server.ts";

/** An orphan, and its keeper's last record. */
export interface Orphan {
  readonly gateway: ProcessIdentity;
  readonly record: RunRecord;
}

const ADOPTER_LOCK = "adopter.lock";
const AT_REST = { gateway: null, startedAt: null, health: "unknown", keeper: null } as const;

/**
 * Returns the profile's orphan: the verified gateway of its latest run, or the child of it that serves, when keeper and gateway are
 * gone.
 */
export function findOrphan({ runRecordPath, profile, home, lockDir }: KeeperSpec): Orphan | undefined {
  const record = readEarlierRun(runRecordPath);
  if (record === undefined || record.profile !== profile) return undefined;
  const { gateway, keeper, nonce } = record;
  if (keeper !== null && judgeProcess(keeper) !== "gone") return undefined;
  const run: RunBond = { nonce, profile: home === undefined ? undefined : profile, home, lockDir };
  const bond = gateway === null ? "gone" : bondOf(gateway, run);
  if (gateway !== null && (bond === "holder" || bond === "member")) return { gateway, record };
  const server = bond === "gone" && !isResting(record.state) ? findSurvivingServer(record, belongsTo(run)) : null;
  return server === null ? undefined : { gateway: server, record };
}

function belongsTo(run: RunBond): (pid: number) => boolean {
  return (pid) => {
    const standing = standingOf(pid, run);
    return standing === "holder" || standing === "member";
  };
}

/** Keeps the orphan until it ends by itself (`ended`: then the profile must be started again) or the run is stopped. */
export async function keepOrphan(spec: KeeperSpec, orphan: Orphan): Promise<KeeperOutcome | "ended"> {
  try {
    return await withFileMutex(join(spec.lockDir, ADOPTER_LOCK), () => attend(spec, orphan), { timeoutMs: 0 });
  } catch (error) {
    if (!(error instanceof LockkeeperError) || error.code !== "MUTEX_TIMEOUT") throw error;
    const detail = `another keeper has adopted the gateway of ${spec.profile} (pid ${orphan.gateway.pid})`;
    return { outcome: "left-in-control", record: null, detail };
  }
}

async function attend(spec: KeeperSpec, { gateway, record }: Orphan): Promise<KeeperOutcome | "ended"> {
  const { host, port, ports, nonce, startedAt, health } = record;
  const there: KeeperSpec = { ...spec, host, port, ports };
  const run: ProcessTreeQuery = {
    leader: gateway,
    nonce,
    profile: spec.home === undefined ? undefined : spec.profile,
    home: spec.home,
  };
  const publisher = new RunPublisher(there, nonce);
  if (spec.lease !== undefined) return outlast(there, gateway, run, publisher, spec.lease.settings.ttlSeconds * 1_000);
  const reason = `adopted by ${spec.startedBy}: its keeper was gone`;
  publisher.publish({ state: "running", reason, gateway, startedAt, health });
  const log = new GatewayLog(spec.logPath);
  log.watch();
  const over = new AbortController();
  try {
    const { exited } = adoptGateway(gateway, over.signal);
    const watching = watch(there, run, over.signal, publisher);
    const end = await Promise.race([
      exited.then(() => "ended" as const),
      aborted(spec.stop, over.signal).then(() => "stop" as const),
      watching,
    ]);
    if (end === "stop") return await stop(there, run, publisher);
    if (end !== "ended") {
      publisher.publish({ state: "starting", reason: `${end.reason}; restarting it` });
      const { survivors, detail } = await endTree(there, run);
      if (survivors.length > 0) return fail(publisher, detail);
      if (spec.stop.aborted) return await stop(there, run, publisher);
    }
    const news = "the adopted gateway has ended; starting it again";
    publisher.publish({ state: "starting", reason: news, ...AT_REST, keeper: publisher.record.keeper });
    return "ended";
  } finally {
    over.abort();
    await log.close();
  }
}

/**
 * An orphan with a lease is not adopted: nobody has renewed the lease since the keeper died, so the orphan must end. Its
 * sentinel ends it in less than `leaseMs`; an orphan that lives longer has no sentinel.
 */
async function outlast(
  spec: KeeperSpec,
  gateway: ProcessIdentity,
  run: ProcessTreeQuery,
  publisher: RunPublisher,
  leaseMs: number,
): Promise<KeeperOutcome | "ended"> {
  const reason = "its keeper was gone, and so nobody renews its lease: it is ended";
  publisher.publish({ state: "stopping", reason, gateway });
  const over = new AbortController();
  await Promise.race([adoptGateway(gateway, over.signal).exited, pause(leaseMs, over.signal)]);
  over.abort();
  const outcome = await stop(spec, run, publisher);
  return outcome.outcome === "stopped" && !spec.stop.aborted ? "ended" : outcome;
}

/** Reports the orphan's health; resolves when a guard demands a restart. Otherwise only its end or a request ends the run. */
async function watch(
  spec: KeeperSpec,
  run: ProcessTreeQuery,
  over: AbortSignal,
  publisher: RunPublisher,
): Promise<FinalFinding> {
  const final = await watchGateway(
    spec,
    run,
    over,
    new MemoryWatch({ limitBytes: spec.memoryRestartBytes, intervalMs: spec.memoryIntervalMs }),
    // It started long ago, so only its health can change.
    (change) => change.state !== "starting" && publisher.publish(change),
    () => publisher.settle(),
  );
  if (final?.found === "oversized" || final?.found === "silent") return final;
  if (final !== undefined) publisher.publish({ state: "unresponsive", reason: final.reason, health: "failing" });
  return new Promise<never>(() => undefined);
}

async function stop(spec: KeeperSpec, run: ProcessTreeQuery, publisher: RunPublisher): Promise<KeeperOutcome> {
  publisher.publish({ state: "stopping" });
  const { survivors, detail } = await endTree(spec, run);
  if (survivors.length > 0) return fail(publisher, detail);
  publisher.publish({ state: "stopped", reason: detail, ...AT_REST });
  return { outcome: "stopped", record: publisher.record, detail };
}

function endTree(spec: KeeperSpec, run: ProcessTreeQuery): Promise<StopResult> {
  const { host, ports, stopTimeoutMs: timeoutMs, force } = spec;
  return stopProcessTree({ ...run, host, ports: Object.values(ports), timeoutMs, force });
}

function fail(publisher: RunPublisher, detail: string): KeeperOutcome {
  publisher.publish({ state: "failed", reason: detail, code: "STOP_INCOMPLETE", keeper: null });
  return { outcome: "failed", record: publisher.record, detail };
}
