/**
 * Gathers the evidence about profiles: their keepers' records, the kernel's view of their locks, their living processes. One
 * pass serves any number of profiles and asks the host each question at most once. Changes nothing.
 */
import {
  carriesRun,
  coversAddress,
  findSurvivingServer,
  holdsDisplacedLock,
  isInOwnNamespace,
  isHiddenHere,
  isMutexRecord,
  isPaused,
  isResting,
  judgeProcess,
  lookAtKernelLocks,
  readGatewayLock,
  readDisplacedLock,
  readListeners,
  sameProcess,
} from "@lockkeeper/core/internal";
import { inspectGatewayLock } from "@lockkeeper/core";
import type { LockInspection, LockRecord, ProcessIdentity, RunRecord } from "@lockkeeper/core";
import type { KernelAnswer, KernelLook, Listener, ProcessVerdict } from "@lockkeeper/core/internal";
import type { HomePlace } from "../context.ts";
import { withPort } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { lockPlace } from "../profile-paths.ts";
import { hasLockFile } from "./lock-files.ts";
import type { Evidence } from "./observed-state.ts";
import { readRunRecord } from "./run-records.ts";

/** What is known about a profile's lock. */
export interface SeenLock {
  readonly answer: KernelAnswer;
  readonly hasLockFile: boolean;
}

/** For a caller that holds the lock, and so knows that nobody else does. */
export const OWN_LOCK: SeenLock = { answer: { verdict: "free" }, hasLockFile: false };

/** Says whether a command holds the profile's lock just now, to copy, move or sweep it. */
export function isHeldByCommand({ paths }: Manifest): boolean {
  const answer = lookAtKernelLocks().ask(lockPlace(paths));
  return answer.verdict === "held" && isCommands(answer.seen.record, answer);
}

/** One pass over the host. */
export class Look {
  readonly #place: HomePlace;
  readonly #locks: KernelLook;
  readonly #judged = new Map<number, { readonly identity: ProcessIdentity; readonly verdict: ProcessVerdict }>();
  #listeners: readonly Listener[] | "unknown" | undefined;

  constructor(place: HomePlace, locks: KernelLook = lookAtKernelLocks()) {
    this.#place = place;
    this.#locks = locks;
  }

  /**
   * Returns the evidence about one profile.
   *
   * @param published its run record, if it was read already.
   * @param lock what is known about its lock. @default the kernel is asked
   */
  about(manifest: Manifest, published: RunRecord | undefined, lock: SeenLock = this.#askKernel(manifest)): Evidence {
    const { name } = manifest;
    const { answer } = lock;
    const judge = (identity: ProcessIdentity): ProcessVerdict => this.#judge(identity);
    let record = ofProfile(name, published);
    // An owner publishes before it releases the lock, so an earlier read may describe the run that has just ended.
    if (answer.verdict === "free" && record !== undefined && !isResting(record.state)) {
      record = ofProfile(name, readRunRecord(this.#place.home, name, this.#place.owner));
    }
    const locked = answer.verdict === "free" ? null : readOwner(manifest, answer);
    if (locked !== null) record = latestRun(manifest, record, locked, judge);
    const run = record;
    const carries = (pid: number): boolean =>
      run !== undefined && carriesRun(pid, { nonce: run.nonce, profile: name, home: this.#place.home });
    return {
      record,
      lock: answer.verdict,
      isHeldByCommand: isCommands(locked, answer),
      hasLockFile: lock.hasLockFile,
      judge,
      findHolders: () => holdersOf(answer),
      carriesRun: ({ pid }) => carries(pid),
      findServer: () => (run === undefined ? null : findSurvivingServer(run, carries, this.#readListeners())),
      holdsDisplaced: ({ pid }) => holdsDisplacedLock(pid, { profile: name, configPath: manifest.paths.config }),
      isHidden: isHiddenHere,
      isPaused: ({ pid }) => isPaused(pid),
      isPortTaken: () => {
        if (record === undefined) return "unknown";
        return record.port === manifest.port ? this.#isPortTaken(record) : "moved";
      },
    };
  }

  /**
   * Returns the run of the visible process that holds the profile's lock, as its open lock file describes it; undefined when that
   * says nothing. For an owner whose record and lock file somebody has removed.
   */
  runOfHolder(manifest: Manifest): RunRecord | undefined {
    const { name, paths } = manifest;
    for (const { pid } of holdersOf(this.#locks.ask(lockPlace(paths)))) {
      const locked = readDisplacedLock(pid, { profile: name, configPath: paths.config });
      if (locked !== null) return runOf(manifest, locked, locked.port ?? manifest.port);
    }
    return undefined;
  }

  /** As {@link inspectGatewayLock}. A lock that this look has seen held is not read again. */
  inspectLock({ paths }: Manifest): Promise<LockInspection> {
    const place = lockPlace(paths);
    return inspectGatewayLock(place, this.#locks.ask(place).verdict === "held" ? this.#locks : undefined);
  }

  /** As {@link KernelLook.listsNoMarks}. */
  listsNoMarks(): boolean {
    return this.#locks.listsNoMarks();
  }

  #askKernel({ paths }: Manifest): SeenLock {
    const answer = this.#locks.ask(lockPlace(paths));
    // What is held needs a file no more than a mark: only what is left over is asked for by name.
    return { answer, hasLockFile: answer.verdict === "held" || hasLockFile(paths.lock) };
  }

  /** As {@link judgeProcess}, which is asked about a keeper twice. */
  #judge(identity: ProcessIdentity): ProcessVerdict {
    const same = this.#judged.get(identity.pid);
    if (same !== undefined && sameProcess(same.identity, identity)) return same.verdict;
    const verdict = judgeProcess(identity);
    this.#judged.set(identity.pid, { identity, verdict });
    return verdict;
  }

  #isPortTaken({ host, port }: RunRecord): "yes" | "no" | "unknown" {
    const listeners = this.#readListeners();
    if (listeners === "unknown") return "unknown";
    const isTaken = listeners.some((each) => each.port === port && coversAddress(each, host) === "yes");
    return isTaken ? "yes" : "no";
  }

  #readListeners(): readonly Listener[] | "unknown" {
    this.#listeners ??= readListeners();
    return this.#listeners;
  }
}

/** This process itself may hold it for a moment, to sweep; and the processes of a container must be handled inside it. */
function holdersOf(answer: KernelAnswer): readonly ProcessIdentity[] {
  const holders = answer.verdict === "held" ? answer.findHolders() : [];
  return holders.filter(({ pid }) => pid !== process.pid && isInOwnNamespace(pid));
}

/** A record of another profile was copied here and says nothing about this one. */
function ofProfile(name: string, record: RunRecord | undefined): RunRecord | undefined {
  return record?.profile === name ? record : undefined;
}

/** The record in the lock file that is held, or that may be. */
function readOwner(
  { paths }: Manifest,
  answer: Exclude<KernelAnswer, { readonly verdict: "free" }>,
): LockRecord | null {
  return answer.verdict === "held" ? answer.seen.record : readGatewayLock(lockPlace(paths));
}

function isCommands(locked: LockRecord | null, answer: KernelAnswer): boolean {
  return answer.verdict === "held" && locked !== null && isMutexRecord(locked, answer.path);
}

/**
 * The published record, unless the lock names another run or a living keeper that is not the published one. That keeper could
 * not publish: it has just begun, the record is damaged, was removed or changed, or the disk is full.
 */
function latestRun(
  manifest: Manifest,
  published: RunRecord | undefined,
  locked: LockRecord,
  judge: typeof judgeProcess,
): RunRecord | undefined {
  // A keeper names its profile at once and its port a moment later. An owner that names neither only sweeps, renames, copies
  // or removes.
  if (locked.profile === null && locked.port === null) return published;
  if (locked.profile !== null && locked.profile !== manifest.name) return published;
  const byLock = (): RunRecord => runOf(manifest, locked, locked.port ?? manifest.port);
  const { keeper = null, nonce } = published ?? {};
  if (judge(locked) === "alive") {
    // A keeper that adopted an orphan has its own lock and publishes the orphan's run.
    return keeper !== null && sameProcess(keeper, locked) ? published : byLock();
  }
  const isKept = keeper !== null && judge(keeper) === "alive";
  return isKept || nonce === locked.nonce ? published : byLock();
}

function runOf(manifest: Manifest, locked: LockRecord, port: number): RunRecord {
  const { pid, startTicks, bootId, pidNamespace, nonce, host, gateway, createdAt } = locked;
  return {
    v: 1,
    profile: manifest.name,
    nonce,
    kind: manifest.kind,
    state: gateway === null ? "starting" : "running",
    // Every run is in this state for a moment, before its first record.
    reason:
      gateway === null
        ? "its keeper has the lock, and has published nothing yet"
        : "its keeper could not publish its state; this is what the lock says",
    code: null,
    since: createdAt,
    keeper: { pid, startTicks, bootId, pidNamespace },
    gateway: gateway === null ? null : { ...gateway, bootId, pidNamespace },
    host: host ?? manifest.host,
    port,
    ports: withPort(manifest, port).ports,
    startedAt: null,
    health: "unknown",
    restarts: 0,
    lastExit: null,
  };
}
