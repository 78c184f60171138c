/**
 * How a keeper gets its lock, and when it steps back. An ordinary start takes the lock or fails. A supervised start, which a
 * service manager would repeat for ever, leaves a healthy gateway of the same profile with a keeper in control, and adopts one
 * without a keeper. A gateway of another profile is a conflict. An owner that never becomes healthy ends the start with the
 * lock's own error.
 */
import { GatewayLockError } from "../errors.ts";
import { gatewayUrl } from "../host/address.ts";
import { probeHealth } from "../gateway/health.ts";
import { describeHolder } from "../host/holder.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { identifyProcess } from "../host/process-identity.ts";
import { carriesRun, describeRunOf, readRunNonce } from "../host/run-bond.ts";
import { probeBind, probeListener, probePort } from "../host/probe-port.ts";
import type { Holder } from "../host/listener.ts";
import { alreadyListening } from "../host/port-in-use.ts";
import type { GatewayLock } from "../lock/gateway-lock.ts";
import { acquireGatewayLock } from "../lock/gateway-lock.ts";
import { inspectGatewayLock } from "../lock/inspect.ts";
import type { LockRecord } from "../lock/lock-record.ts";
import { pause } from "../pause.ts";
import type { Orphan } from "./adopt-orphan.ts";
import { findOrphan } from "./adopt-orphan.ts";
import type { KeeperSpec } from "./keeper-spec.ts";
import { viewPorts } from "./port-view.ts";

const DEFAULTS = {
  /** The total time, retries included: a service manager must learn about a gateway that never becomes healthy. */
  handoffTimeoutMs: 30_000,
  /**
   * A port counts as taken when it still is after this time, because a process that was just killed listens to its last
   * millisecond.
   */
  settleMs: 100,
  attemptMs: 500,
  betweenAttemptsMs: 500,
  /** The kernel keeps a closed connection for 60 s. Source: TCP_TIMEWAIT_LEN of include/net/tcp.h. */
  lingerMs: 65_000,
  lingerLookMs: 250,
};

/** The owner that stays in control, for the log of the service manager. */
export interface LeftInControl {
  readonly leftTo: string;
}

/** The gateway that owns the profile has no keeper. */
export interface OrphanFound {
  readonly orphan: Orphan;
}

/** A time by which a supervised start has decided, on the monotonic clock. */
export function handoffDeadline(spec: KeeperSpec): number {
  return performance.now() + (spec.supervised ? (spec.handoffTimeoutMs ?? DEFAULTS.handoffTimeoutMs) : 0);
}

/**
 * Takes the profile's lock, or finds a healthy owner that may keep it, or an owner without a keeper (supervised starts only).
 *
 * @param deadline from {@link handoffDeadline}.
 * @throws {GatewayLockError} LOCK_HELD, and the other errors of {@link acquireGatewayLock}.
 */
export async function takeLock(
  spec: KeeperSpec,
  deadline: number,
  onReclaim: (reason: string) => void,
): Promise<GatewayLock | LeftInControl | OrphanFound> {
  for (;;) {
    try {
      return await acquireGatewayLock({
        lockDir: spec.lockDir,
        configPath: spec.configPath,
        scope: "directory",
        profile: spec.profile,
        timeoutMs: spec.supervised ? Math.min(DEFAULTS.attemptMs, spec.lockTimeoutMs) : spec.lockTimeoutMs,
        signal: spec.stop,
        onReclaim,
      });
    } catch (error) {
      if (!spec.supervised || !(error instanceof GatewayLockError) || error.code !== "LOCK_HELD") throw error;
      const orphan = findOrphan(spec);
      if (orphan !== undefined) return { orphan };
      const owner = (await inspectGatewayLock({ ...spec, scope: "directory" })).record;
      const left = owner === null ? undefined : await findHealthyOwner(spec, owner);
      if (left !== undefined) return left;
      if (performance.now() >= deadline || spec.stop.aborted) throw error;
      await pause(DEFAULTS.betweenAttemptsMs, spec.stop);
    }
  }
}

/** Why a run cannot have its port. */
export interface Blocked {
  /** The obstacle, in words. */
  readonly blockedBy: string;
  /** Set when the obstacle belongs to this profile's earlier run. */
  readonly leftover: ProcessIdentity | null;
}

/**
 * Says what blocks the run's port; undefined when it is free. A supervised start, which holds the lock, waits for the port
 * until `deadline`, and leaves a healthy gateway in control unless it belongs to another profile.
 *
 * @param onWaiting called once, with the reason, when nothing listens and the system still refuses the port.
 * @param nonces of this run and of the profile's earlier one: a process with another nonce belongs to another profile.
 */
export async function clearPort(
  spec: KeeperSpec,
  nonces: readonly string[],
  deadline: number,
  onWaiting: (reason: string) => void,
): Promise<LeftInControl | Blocked | undefined> {
  const url = gatewayUrl(spec.host, spec.port);
  for (let settled = false; ; settled = true) {
    if ((await probePort(spec.host, spec.port)).verdict !== "taken") return undefined;
    if (!settled) {
      await pause(DEFAULTS.settleMs, spec.stop);
      continue;
    }
    const seen = await lookAtHolder(spec, nonces);
    if (seen === "nobody") {
      if ((await awaitLingering(spec, onWaiting)) === "free") return undefined;
      await pause(DEFAULTS.settleMs, spec.stop);
      continue;
    }
    const { blocked, owner, who } = seen;
    if (!spec.supervised || owner === "other-profile" || spec.stop.aborted) return blocked;
    const asked = await probeHealth({ host: spec.host, port: spec.port, signal: spec.stop });
    if (asked.health === "ok") return { leftTo: `a healthy gateway on ${url} (${who})` };
    // Any other web server has shown what it is; only "not now" may still become a healthy gateway.
    const isAnotherServer = asked.httpStatus !== null && asked.httpStatus < 500;
    if (isAnotherServer || performance.now() >= deadline) return blocked;
    await pause(DEFAULTS.betweenAttemptsMs, spec.stop);
  }
}

/** Says what has the run's port at this moment; undefined when it is free. */
export async function findBlocker(spec: KeeperSpec, nonces: readonly string[]): Promise<Blocked | undefined> {
  if ((await probePort(spec.host, spec.port)).verdict !== "taken") return undefined;
  const seen = await lookAtHolder(spec, nonces);
  return seen === "nobody" ? undefined : seen.blocked;
}

/** `nobody`: the system refuses the port for closed connections, or for a socket that is bound to it and does not listen. */
async function lookAtHolder(
  spec: KeeperSpec,
  nonces: readonly string[],
): Promise<"nobody" | (Attribution & { readonly blocked: Blocked })> {
  const { host, port } = spec;
  const seen = await viewPorts(host, [port], { leader: null, nonce: "" });
  if (seen.view === "nobody") return "nobody";
  const holder = seen.view === "stranger" ? seen.holder : null;
  const attribution = holder === null ? NOBODY_SEEN : attribute(spec, holder, nonces);
  const isOurs = attribution.owner === "this-profile" && holder !== null;
  const blocked: Blocked = {
    blockedBy: `${alreadyListening(host, port)}: ${attribution.who}`,
    leftover: isOurs ? (identifyProcess(holder.pid) ?? null) : null,
  };
  return { ...attribution, blocked };
}

/**
 * Waits until the system releases the port, or reports a new listener on it. After the time that the system keeps closed
 * connections the gateway may try; the crash policy judges the result of its bind.
 */
async function awaitLingering(
  { host, port, stop }: KeeperSpec,
  onWaiting: (reason: string) => void,
): Promise<"free" | "listening"> {
  const until = performance.now() + DEFAULTS.lingerMs;
  for (let told = false; performance.now() < until && !stop.aborted; told = true) {
    if ((await probeListener(host, port)) === "listening") return "listening";
    if ((await probeBind(host, port)).verdict !== "taken") return "free";
    if (!told) {
      const seconds = DEFAULTS.lingerMs / 1_000;
      onWaiting(`nobody listens on port ${port}, but closed connections still occupy it: waiting up to ${seconds} s`);
    }
    await pause(DEFAULTS.lingerLookMs, stop);
  }
  return "free";
}

/** The listener must be the recorded owner's own, or a process of its run: a healthy stranger proves nothing. */
async function findHealthyOwner(spec: KeeperSpec, owner: LockRecord): Promise<LeftInControl | undefined> {
  const host = owner.host ?? spec.host;
  const port = owner.port ?? spec.port;
  const leader: ProcessIdentity = { ...owner, ...owner.gateway };
  const seen = await viewPorts(host, [port], { leader, nonce: owner.nonce, known: [owner] });
  if (seen.view !== "ours") return undefined;
  const check = spec.health.kind === "http" ? spec.health : {};
  const asked = await probeHealth({ host, port, ...check, signal: spec.stop });
  if (asked.health !== "ok") return undefined;
  return { leftTo: `the gateway of ${spec.profile} on ${gatewayUrl(host, port)}, ${describeHolder(seen.holder)}` };
}

interface Attribution {
  readonly owner: "this-profile" | "other-profile" | "stranger";
  readonly who: string;
}

const NOBODY_SEEN: Attribution = { owner: "stranger", who: describeHolder(null) };

function attribute({ profile, home }: KeeperSpec, holder: Holder, nonces: readonly string[]): Attribution {
  const who = describeHolder(holder);
  const nonce = readRunNonce(holder.pid);
  if (nonce === undefined) return { owner: "stranger", who };
  // A copied home has the original's nonces: whose process it is, its own home and profile tell.
  const marks = { nonce, profile: home === undefined ? undefined : profile, home };
  if (nonces.includes(nonce) && carriesRun(holder.pid, marks)) {
    return { owner: "this-profile", who: `left by an earlier run of this profile: ${who}` };
  }
  const run = describeRunOf(holder.pid);
  return run === undefined ? { owner: "stranger", who } : { owner: "other-profile", who: `${run}: ${who}` };
}
