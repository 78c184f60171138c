/**
 * Decides the one word for a profile's state from the evidence. Pure: all evidence is passed in. The kernel's lock comes
 * first: with the lock free nobody owns the profile, whatever a record says; with the lock held somebody does, even where this
 * process cannot see it. `docs/lock.md` has the same rules as a table.
 */
import { isResting } from "@lockkeeper/core/internal";
import type { ProcessIdentity, PublishedState, RunRecord } from "@lockkeeper/core";
import type { ProcessVerdict } from "@lockkeeper/core/internal";

/** The one word for what a profile does. */
export type ProfileState = PublishedState | "orphaned" | "external";

/**
 * The owner of the profile. `elsewhere`: a living process that is not visible from here, because the kernel says that the lock
 * is held. `unclear`: neither the kernel nor the host says.
 */
export type Owner = "nobody" | "here" | "elsewhere" | "unclear";

/** What the kernel says of a profile's lock. */
export type LockWord = "free" | "held" | "unknown";

/** What is known about a profile's latest run. Questions that cost a look at the host are functions, called only when needed. */
export interface Evidence {
  /** The last record of this profile's keeper. */
  readonly record: RunRecord | undefined;
  readonly lock: LockWord;
  /** Whether the holder of the lock is a command that keeps the profile still: it sweeps, renames, copies or removes it. */
  readonly isHeldByCommand: boolean;
  /** Whether there is a lock file. With the lock free it is a leftover. */
  readonly hasLockFile: boolean;
  readonly judge: (identity: ProcessIdentity) => ProcessVerdict;
  /** The visible processes of this namespace, other than this one, that hold the lock. */
  readonly findHolders: () => readonly ProcessIdentity[];
  /** Whether that process carries this run, this profile and this home in its environment. */
  readonly carriesRun: (identity: ProcessIdentity) => boolean;
  /** Whether that process holds a lock of this profile whose file somebody has moved away or replaced. */
  readonly holdsDisplaced: (identity: ProcessIdentity) => boolean;
  /** The visible process that listens on the port of the run and carries it in its environment, or null. */
  readonly findServer: () => ProcessIdentity | null;
  /** Whether a process lives under that pid, in this namespace and boot, that the host does not show. */
  readonly isHidden: (identity: ProcessIdentity) => boolean;
  /** Whether that process is paused. */
  readonly isPaused: (identity: ProcessIdentity) => boolean;
  /** Whether the port of the run has a listener; `moved`: the profile has another port by now. */
  readonly isPortTaken: () => "yes" | "no" | "moved" | "unknown";
}

/** The observed state of a profile's run. */
export interface ObservedState {
  readonly state: ProfileState;
  readonly reason: string | null;
  readonly owner: Owner;
  /** The gateway's process, when it lives and is visible. */
  readonly gateway: ProcessIdentity | null;
  readonly keeper: ProcessIdentity | null;
  /** Whether an ended run left a record or a lock file that should be swept. */
  readonly leftover: boolean;
  /** Where an external gateway listens; it is in none of our records. */
  readonly port?: number;
}

/** States that are only true of a living gateway. */
const SERVING_STATES: ReadonlySet<PublishedState> = new Set(["running", "unresponsive"]);

const NO_PROCESS = { gateway: null, keeper: null } as const;

/** Returns the state of a profile: exactly one for any evidence. */
export function observeState(evidence: Evidence): ObservedState {
  switch (evidence.lock) {
    case "free":
      return withoutOwner(evidence);
    case "held":
      return withOwner(evidence);
    case "unknown":
      return withoutKernel(evidence);
  }
}

/** Returns the state of a profile whose keeper has ended, as `record` says, and that has no lock file. */
export function observeAtRest(record: RunRecord | undefined): ObservedState {
  const { state, reason } = record ?? { state: "stopped" as const, reason: null };
  return { state, reason, owner: "nobody", ...NO_PROCESS, leftover: false };
}

/** Returns the state of a profile whose own keeper has just reported `record`: it holds the lock, and its gateway lives. */
export function observeKept({ state, reason, gateway, keeper }: RunRecord): ObservedState {
  return { state, reason, owner: "here", gateway, keeper, leftover: false };
}

/** Returns whether there is a gateway whose health can be asked. A starting one has none. */
export function isServing({ state, owner }: ObservedState): boolean {
  return (
    owner !== "nobody" &&
    (state === "running" || state === "unresponsive" || state === "orphaned" || state === "external")
  );
}

/**
 * The lock is free. A keeper may live all the same, when somebody has replaced its lock file. So may a gateway that has closed its
 * descriptor of the lock, or a child of it that never had one; then only the environment shows that it is ours.
 */
function withoutOwner(evidence: Evidence): ObservedState {
  const { record, judge, carriesRun } = evidence;
  const gateway = record?.gateway ?? null;
  if (record !== undefined && isKeptDisplaced(evidence, record)) {
    const seen = kept(evidence, record, gateway !== null && judge(gateway) === "alive" ? gateway : null);
    return { ...seen, reason: seen.reason ?? DISPLACED };
  }
  if (gateway !== null && judge(gateway) === "alive" && carriesRun(gateway)) return orphan(gateway);
  return servedByChild(evidence) ?? atRest(evidence);
}

function isKeptDisplaced({ judge, holdsDisplaced }: Evidence, { state, keeper }: RunRecord): boolean {
  return keeper !== null && !isResting(state) && judge(keeper) === "alive" && holdsDisplaced(keeper);
}

/** Keeper and gateway were killed, and a process that the gateway had started goes on serving. */
function servedByChild({ record, findServer }: Evidence): ObservedState | undefined {
  const server = record === undefined || isResting(record.state) ? null : findServer();
  return server === null
    ? undefined
    : orphan(server, "its keeper and the process that it started are gone, a child still serves");
}

function withOwner(evidence: Evidence): ObservedState {
  const { record, judge, findHolders, carriesRun, isHidden } = evidence;
  if (evidence.isHeldByCommand) return heldByCommand(evidence);
  if (record === undefined || isResting(record.state)) {
    const left = record?.gateway ?? null;
    if (left !== null && judge(left) === "alive") return orphan(left);
    // An owner without a record of a run only reads, moves or sweeps, and will release the lock soon.
    const { state, reason } = record ?? { state: "stopped" as const, reason: null };
    return { state, reason, owner: "unclear", ...NO_PROCESS, leftover: false };
  }
  const keeper = record.keeper === null ? "gone" : judge(record.keeper);
  const gateway = record.gateway === null ? "gone" : judge(record.gateway);
  if (keeper === "alive") return kept(evidence, record, gateway === "gone" ? null : record.gateway);
  const holders = findHolders();
  const [holder] = holders;
  if (gateway === "alive" && record.gateway !== null) {
    if (keeper !== "gone") return kept(evidence, record, record.gateway);
    const { pid } = record.gateway;
    // A recorded process may be a stranger; a holder of the lock is not.
    const isIts = holders.some((each) => each.pid === pid) || carriesRun(record.gateway);
    return orphan(isIts ? record.gateway : (holder ?? record.gateway));
  }
  if (holder === undefined) {
    const left = keeper === "gone" ? record.gateway : null;
    if (left !== null && isHidden(left)) return orphan(left, `${GOES_ON}, hidden from this user`);
    return { state: record.state, reason: tellPlace(record), owner: "elsewhere", ...NO_PROCESS, leftover: false };
  }
  // A separate clock (a time namespace) makes a living keeper look like another process.
  if (holder.pid === record.keeper?.pid) return kept(evidence, { ...record, keeper: holder }, record.gateway);
  return orphan(holder);
}

/** Its holder is no part of a run, so nothing is ended for it; a gateway that has closed the lock may live all the same. */
function heldByCommand(evidence: Evidence): ObservedState {
  const { state, reason, owner, gateway, ...still } = withoutOwner(evidence);
  if (owner === "here") return { state, reason, owner, gateway, ...still };
  return { state, reason: reason ?? BEING_CHANGED, owner: "unclear", ...NO_PROCESS, leftover: false };
}

/** Only the processes can tell. A process that cannot be judged is reported as neither alive nor dead. */
function withoutKernel(evidence: Evidence): ObservedState {
  const { record, judge } = evidence;
  if (record === undefined) return atRest(evidence);
  const keeper = record.keeper === null ? "gone" : judge(record.keeper);
  const gateway = record.gateway === null ? "gone" : judge(record.gateway);
  if (keeper === "alive" && !isResting(record.state))
    return kept(evidence, record, gateway === "gone" ? null : record.gateway);
  if (gateway === "alive" && record.gateway !== null) return orphan(record.gateway);
  if (isResting(record.state)) return atRest(evidence);
  if (keeper === "gone" && gateway === "gone") return servedByChild(evidence) ?? atRest(evidence);
  const reason = "whether it lives is unknown from here";
  return { state: record.state, reason, owner: "unclear", ...NO_PROCESS, leftover: false };
}

function kept({ isPaused }: Evidence, record: RunRecord, gateway: ProcessIdentity | null): ObservedState {
  const { state, keeper } = record;
  const hasEnded = record.gateway !== null && gateway === null && SERVING_STATES.has(state);
  const still = { owner: "here", gateway, keeper, leftover: false } as const;
  if (!hasEnded) return { state, reason: record.reason, ...still };
  // A paused keeper will not publish the next state.
  if (keeper !== null && isPaused(keeper)) {
    const reason = `its gateway has ended, and its keeper (pid ${keeper.pid}) is paused`;
    return { state: "unresponsive", reason, ...still };
  }
  const reason = "its gateway has just ended, and its keeper has not yet said what follows";
  return { state: "starting", reason, ...still };
}

const DISPLACED = "its lock file was moved away or replaced, and its keeper has not yet put it back";
const BEING_CHANGED = "another command holds it still for the moment";
const GOES_ON = "its keeper is gone, its gateway still runs without one";

function orphan(gateway: ProcessIdentity, reason: string = GOES_ON): ObservedState {
  return { state: "orphaned", reason, owner: "here", gateway, keeper: null, leftover: false };
}

function atRest({ record, hasLockFile, isPortTaken }: Evidence): ObservedState {
  const rest = { owner: "nobody", ...NO_PROCESS, leftover: hasLockFile } as const;
  if (record === undefined) return { state: "stopped", reason: null, ...rest };
  const { state, reason } = record;
  if (!isResting(state)) return { state: "stopped", reason: "keeper and gateway were killed", ...rest, leftover: true };
  const now = state === "blocked" ? SINCE_BLOCKED[isPortTaken()] : undefined;
  if (now === undefined) return { state, reason, ...rest };
  return { state: "stopped", reason: `was blocked at ${record.since}; port ${record.port} ${now}`, ...rest };
}

/** What is said of the port of a blocked run that is blocked no longer. */
const SINCE_BLOCKED: Readonly<Partial<Record<string, string>>> = { no: "is free now", moved: "is not its port now" };

/** Says where the owner is, as far as its record says. Its pids mean nothing here, so they are not shown. */
function tellPlace({ keeper, gateway }: RunRecord): string {
  const namespace = keeper?.pidNamespace ?? gateway?.pidNamespace ?? null;
  const where = namespace === null ? "" : ` (pid namespace ${namespace})`;
  return `runs in another container or user's namespace${where}: its lock is held there`;
}
