/**
 * One run under a keeper, which has the lock: it checks the port, spawns the gateway, watches it, restarts it within bounds and
 * stops the whole tree. A published state is true at the moment of publication. Invariants: nothing is spawned on a taken port;
 * there are never two gateways; nothing is published without the lock; a process that still has the lock's descriptor goes on
 * holding it. With a lease, all of this happens only while the lease is ours.
 */
import { dirname } from "node:path";

import { LockkeeperError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import type { ProcessTreeQuery } from "../host/process-tree.ts";
import { findLockHeirs } from "../host/lock-holders.ts";
import type { GatewayLock, GatewayLockUpdate } from "../lock/gateway-lock.ts";
import { ensurePrivateDirectory } from "../storage/private-directory.ts";
import { aborted, pause } from "../pause.ts";
import { GatewayLog } from "./log-rotation.ts";
import type { GatewayCap } from "./gateway-cap.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import { adoptGateway, describeExit, spawnGateway } from "./gateway-process.ts";
import type { FinalFinding } from "./gateway-watch.ts";
import { watchGateway } from "./gateway-watch.ts";
import type { KeeperOutcome, KeeperSpec } from "./keeper-spec.ts";
import type { Ownership } from "./ownership.ts";
import { readLastWords } from "./last-words.ts";
import { stillListening } from "./outside-sockets.ts";
import { OutsideWatch } from "./outside-watch.ts";
import { MemoryWatch } from "./memory-guard.ts";
import {
  decideGuardedRestart,
  decideRestart,
  GUARDED_BOUND,
  PERMANENT_EXIT_STATUS,
  RESTART_BOUND,
} from "./restart-policy.ts";
import type { GatewayExit, RunRecord } from "./run-record.ts";
import { RunPublisher } from "./run-publisher.ts";
import { usableEnvironment } from "./spawn-environment.ts";
import type { Sparing } from "./sparing.ts";
import { stopProcessTree } from "./stop-ladder.ts";
import type { StopResult } from "./stop-ladder.ts";
import { hasStopRequest, removeStopRequest, StopDeadline } from "./stop-request.ts";
import { awaitSuccessor } from "./successor.ts";
import type { Blocked, LeftInControl } from "./handoff.ts";
import { clearPort, findBlocker } from "./handoff.ts";

/** Why the keeper stops watching one gateway process. */
type Ending =
  | { readonly ended: "by-itself"; readonly exit: GatewayExit }
  | { readonly ended: "on-request" }
  | { readonly ended: "lock-lost" }
  | { readonly ended: "lease-lost" }
  | FinalEnding;
type FinalEnding = Omit<FinalFinding, "found"> & { readonly ended: FinalFinding["found"] };

const DEFAULTS = {
  /** Leftovers of a crashed gateway get this long to end by themselves. */
  leftoverTimeoutMs: 2_000,
  /** How long the system may take to report the end of a child that is known to be gone. */
  exitReportMs: 1_000,
  /** Exit codes of a shell or `env` for a program that is missing or cannot be run. Source: sh(1), env(1). */
  nothingToRunCodes: [126, 127] as readonly (number | null)[],
};

/** One run of one profile, for the owner of its lock. Used once. */
export class Keeper {
  readonly #spec: KeeperSpec;
  readonly #lock: GatewayLock;
  readonly #nonce: string;
  readonly #publisher: RunPublisher;
  readonly #crashTimesMs: number[] = [];
  /** Times at which a guard demanded a restart. */
  readonly #guardTimesMs: number[] = [];
  readonly #memory: MemoryWatch;
  readonly #outside: OutsideWatch;
  /** Undefined without an upper limit of memory, and where it is not in force. */
  #cap: GatewayCap | undefined;
  #gateway: GatewayProcess | undefined;
  /** Undefined without a lease, and while another host has it. */
  #ownership: Ownership | undefined;
  /** Pids of all gateway processes so far: each led a session. */
  readonly #sessions: number[] = [];
  #wasReady = false;
  /** Whether the last attempt to end the run left a living process. */
  #survived = false;

  constructor(spec: KeeperSpec, lock: GatewayLock) {
    this.#spec = spec;
    this.#lock = lock;
    this.#nonce = lock.record.nonce;
    this.#publisher = new RunPublisher(spec, this.#nonce);
    this.#memory = new MemoryWatch({ limitBytes: spec.memoryRestartBytes, intervalMs: spec.memoryIntervalMs });
    this.#outside = new OutsideWatch(spec, lock);
  }

  /** The last record of the run before this one, which {@link run} replaces. */
  get earlier(): RunRecord | undefined {
    return this.#publisher.earlier;
  }

  /**
   * Runs the gateway until it is stopped, given up, or left to another owner. On return no process of the run is left, unless the
   * outcome says otherwise, and the lease is given back.
   *
   * @param reclaimed why the lock of an earlier owner was taken over, for the history.
   * @param deadline until when a supervised start waits for the port, on the monotonic clock.
   * @throws {LockkeeperError} UNSAFE_PATH and file errors for the log, the record or their directories.
   */
  async run(reclaimed: readonly string[], deadline: number): Promise<KeeperOutcome> {
    const { host, port, startedBy, logPath, runRecordPath } = this.#spec;
    ensurePrivateDirectory(dirname(runRecordPath));
    ensurePrivateDirectory(dirname(logPath));
    this.#note({ host, port });
    const notes = reclaimed.map((reason) => `reclaimed the lock: ${reason}`);
    this.#publisher.publish({ state: "starting", reason: [`started by ${startedBy}`, ...notes].join("; ") });
    const log = this.#openLog(logPath);
    log.watch();
    try {
      await this.#capMemory();
      return await this.#keepRunning(log, deadline);
    } finally {
      await log.close();
      await this.#disown();
      this.#cap?.remove();
    }
  }

  async #capMemory(): Promise<void> {
    const { memoryMaxBytes } = this.#spec;
    if (memoryMaxBytes === undefined) return;
    const { capGateways } = await import("./gateway-cap.ts");
    this.#cap = capGateways(this.#spec, memoryMaxBytes, (fact) => this.#publisher.remark(fact));
  }

  #openLog(path: string): GatewayLog {
    try {
      return new GatewayLog(path, { onLoss: (text) => this.#publisher.remark(text) });
    } catch (error) {
      if (error instanceof LockkeeperError) this.#fail(error.code, error.message);
      throw error;
    }
  }

  async #keepRunning(log: GatewayLog, deadline: number): Promise<KeeperOutcome> {
    const { earlier } = this.#publisher;
    const nonces = [this.#nonce, ...(earlier === undefined ? [] : [earlier.nonce])];
    for (;;) {
      const refusal = await this.#own();
      if (refusal !== undefined) return refusal;
      const obstacle = await clearPort(this.#spec, nonces, deadline, (reason) =>
        this.#publisher.publish({ state: "starting", reason, health: "unknown" }),
      );
      if (this.#spec.stop.aborted) return this.#stop();
      if (obstacle !== undefined) return "leftTo" in obstacle ? this.#leave(obstacle) : this.#block(obstacle);
      if (this.#ownership?.isHeld === false) continue;
      try {
        this.#take(await this.#spawn(log));
      } catch (error) {
        if (error instanceof LockkeeperError) return this.#fail(error.code, error.message);
        throw error;
      }
      const end = await this.#attend();
      const outcome = end.ended === "by-itself" ? await this.#restartAfter(end.exit) : await this.#conclude(end);
      if (outcome !== undefined) return outcome;
    }
  }

  async #spawn(log: GatewayLog): Promise<GatewayProcess> {
    const { argv, cwd, kept, inherited = [] } = this.#spec;
    const { env: usable, dropped } = usableEnvironment(this.#spec.env, inherited);
    for (const fact of dropped) this.#publisher.remark(fact);
    const restarts = this.#publisher.record.restarts;
    log.note("start", restarts === 0 ? "the gateway starts" : `the gateway starts again, restart ${restarts}`);
    const env = { ...usable, ...this.#ownership?.env };
    const gateway = await spawnGateway({
      argv,
      cwd,
      env,
      kept,
      nonce: this.#nonce,
      logFd: log.fd,
      lockFd: this.#lock.fd,
    });
    void gateway.exited.then((exit) => log.note("end", describeExit(exit)));
    this.#cap?.admit(gateway.identity);
    return gateway;
  }

  /** Makes `gateway` the watched one, and publishes it before anything else happens. */
  #take(gateway: GatewayProcess, reason: string | null = null): void {
    this.#gateway = gateway;
    this.#memory.reset();
    this.#outside.begin();
    if (gateway.identity !== null) this.#sessions.push(gateway.identity.pid);
    this.#ownership?.guard(gateway.identity);
    const { identity, startedAt } = gateway;
    this.#note({ gateway: identity });
    this.#publisher.publish({ state: "starting", reason, gateway: identity, startedAt, health: "unknown" });
  }

  /** Writes the lock's record, which is only a description: a failing disk must not end a running gateway. */
  #note(fact: GatewayLockUpdate): void {
    try {
      this.#lock.update(fact);
    } catch (error) {
      if (!(error instanceof LockkeeperError)) throw error;
    }
  }

  /** Watches the present gateway and its possible successors until there is something to decide. */
  async #attend(): Promise<Ending> {
    const over = new AbortController();
    try {
      for (;;) {
        const end = await this.#attendOne(over.signal);
        if (end.ended !== "by-itself") return end;
        const successor = await this.#findSuccessor(end.exit);
        if (successor === undefined) return end;
        this.#take(adoptGateway(successor, over.signal), `handed over to a successor (pid ${successor.pid})`);
      }
    } finally {
      over.abort();
    }
  }

  async #attendOne(until: AbortSignal): Promise<Ending> {
    const over = new AbortController();
    const gone = this.#gateway?.exited ?? new Promise<never>(() => undefined);
    const watch = watchGateway(
      this.#spec,
      { ...this.#run, heirs: () => findLockHeirs(this.#lock.fd) },
      AbortSignal.any([over.signal, until]),
      this.#memory,
      (change) => {
        this.#wasReady ||= change.state === "running";
        this.#publisher.publish(change);
      },
      () => this.#settle(),
    );
    try {
      return await Promise.race<Ending>([
        gone.then((exit) => ({ ended: "by-itself", exit })),
        aborted(this.#spec.stop, over.signal).then(() => ({ ended: "on-request" })),
        aborted(this.#lock.lost, over.signal).then(() => ({ ended: "lock-lost" })),
        ...(this.#ownership === undefined
          ? []
          : [aborted(this.#ownership.lost, over.signal).then(() => ({ ended: "lease-lost" }) as const)]),
        // Without a finding the watch was cancelled, and the race is decided already.
        watch.then((final) => (final === undefined ? { ended: "on-request" } : { ended: final.found, ...final })),
      ]);
    } finally {
      over.abort();
    }
  }

  /**
   * Returns the successor of a gateway that has ended; undefined when there is none, and then no process of the old run is
   * left.
   */
  async #findSuccessor(exit: GatewayExit): Promise<ProcessIdentity | undefined> {
    const { host, port, startTimeoutMs, stop } = this.#spec;
    const found = await awaitSuccessor({
      run: { ...this.#run, known: findLockHeirs(this.#lock.fd) },
      host,
      port,
      // Only a gateway that exited normally may have a successor that is still starting; a crash leaves only remains.
      patienceMs: exit.code === 0 ? startTimeoutMs : 0,
      stop,
      sparing: this.#sparing,
      onWaiting: () =>
        this.#publisher.publish({ state: "starting", reason: "waiting for a successor", health: "unknown" }),
    });
    if (typeof found === "object") return found;
    if (found === "litter-left" && !stop.aborted) await this.#end(DEFAULTS.leftoverTimeoutMs);
    return undefined;
  }

  /** Returns undefined when the gateway must be started again. */
  async #restartAfter(exit: GatewayExit): Promise<KeeperOutcome | undefined> {
    if (this.#spec.stop.aborted) return this.#stop();
    this.#publisher.noteOutside(this.#outside.find(this.#run));
    await this.#gatherRemains();
    if (this.#ownership?.isHeld === false) return this.#standBack(exit);
    const kill = this.#cap?.describeKill();
    const how = kill === undefined ? describeExit(exit) : `${describeExit(exit)} after ${kill}`;
    if (exit.code === PERMANENT_EXIT_STATUS) {
      // The port may be the cause, and then that is reported.
      const obstacle = await findBlocker(this.#spec, [this.#nonce]);
      if (obstacle !== undefined) return this.#block(obstacle, exit);
      return this.#fail("GATEWAY_EXITED", `${how}: it says that restarting will not help`, exit);
    }
    if (DEFAULTS.nothingToRunCodes.includes(exit.code)) {
      return this.#fail("GATEWAY_EXITED", `${how}: its program was not found or cannot be run`, exit);
    }
    const now = performance.now();
    this.#crashTimesMs.push(now);
    const decision = decideRestart(this.#crashTimesMs, now, Math.random());
    if (decision.action === "give-up") {
      return this.#fail("GATEWAY_EXITED", `${how}; gave up after ${RESTART_BOUND}`, exit);
    }
    const reason = `${how}; starting it again in ${decision.delayMs} ms (crash ${decision.crashes})`;
    const restarts = this.#publisher.record.restarts + 1;
    this.#publisher.publish({ state: "starting", reason, restarts, ...GONE, lastExit: exit }, exit);
    await pause(decision.delayMs, this.#spec.stop);
    return this.#spec.stop.aborted ? this.#stop() : undefined;
  }

  async #conclude(end: Exclude<Ending, { ended: "by-itself" }>): Promise<KeeperOutcome | undefined> {
    switch (end.ended) {
      case "on-request":
        return this.#stop();
      case "lock-lost":
        return this.#surrender();
      case "lease-lost":
        return this.#standBack();
      case "misplaced":
        await this.#end(this.#spec.stopTimeoutMs);
        return this.#fail("LISTENER_MISMATCH", end.reason, null, end.listensOn);
      case "displaced":
        await this.#end(this.#spec.stopTimeoutMs);
        return this.#block({ blockedBy: end.reason, leftover: null });
      case "oversized":
      case "silent":
        return this.#restartFor(end.reason);
    }
  }

  /** Ends a living gateway in order to restart it, within a separate bound. Undefined: it must be started again. */
  async #restartFor(reason: string): Promise<KeeperOutcome | undefined> {
    const { stop, force, stopTimeoutMs, stopRequestPath } = this.#spec;
    const now = performance.now();
    this.#guardTimesMs.push(now);
    const givesUp = decideGuardedRestart(this.#guardTimesMs, now) === "give-up";
    // Not `stopping`: a concurrent `stop` would mistake that for a requested stop.
    const what = givesUp ? `gave up after ${GUARDED_BOUND}` : "restarting it";
    this.#publisher.publish({ state: "starting", reason: `${reason}; ${what}` });
    const deadline = new StopDeadline(stopRequestPath, this.#nonce, stopTimeoutMs);
    const result = await this.#end(stopTimeoutMs, force, deadline.at);
    const exit = (await this.#lastExit()) ?? null;
    if (this.#lock.lost.aborted) return this.#surrender();
    if (stop.aborted) return this.#stop();
    if (this.#survived) return this.#fail("STOP_INCOMPLETE", `${reason}; ${result.detail}`, exit);
    if (this.#ownership?.isHeld === false) return this.#standBack(exit);
    if (givesUp) return this.#fail("GATEWAY_UNHEALTHY", `${reason}; ${what}`, exit);
    const restarts = this.#publisher.record.restarts + 1;
    const again = `${reason}; ${result.detail}; starting it again`;
    const lastExit = exit ?? this.#publisher.record.lastExit;
    this.#publisher.publish({ state: "starting", reason: again, restarts, ...GONE, lastExit }, exit);
    return undefined;
  }

  /** How the gateway that we just ended has exited, if the system reports it in time. */
  async #lastExit(): Promise<GatewayExit | undefined> {
    const over = new AbortController();
    const exit = await Promise.race([this.#gateway?.exited, pause(DEFAULTS.exitReportMs, over.signal)]);
    over.abort();
    if (typeof exit !== "object") return undefined;
    await this.#gatherRemains();
    return exit;
  }

  /** For the history, before the gateway's end is recorded. */
  async #gatherRemains(): Promise<void> {
    const { logPath, secrets = [] } = this.#spec;
    const output = await readLastWords(logPath, secrets);
    const memoryBytes = this.#memory.last?.bytes;
    this.#publisher.addRemains({
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(output === undefined ? {} : { output }),
    });
  }

  /**
   * Waits until this host may run the gateway; at once without a lease. When it may not, returns how the run ended; then
   * nothing runs.
   */
  async #own(): Promise<KeeperOutcome | undefined> {
    const { lease, profile, lockDir, stop } = this.#spec;
    if (lease === undefined || this.#ownership?.isHeld === true) return undefined;
    const isAgain = this.#ownership !== undefined;
    await this.#disown();
    const { obtainOwnership } = await import("./ownership.ts");
    try {
      this.#ownership = await obtainOwnership({
        lease,
        profile,
        nonce: this.#nonce,
        lockDir,
        isAgain,
        stop: AbortSignal.any([stop, this.#lock.lost]),
        onStandby: (owner, reason) => this.#publisher.publish({ state: "standby", reason, ...GONE, lease: owner }),
        onTrouble: (trouble) => this.#tellTrouble(trouble),
      });
    } catch (error) {
      if (error instanceof LockkeeperError) return this.#fail(error.code, error.message);
      throw error;
    }
    if (this.#ownership === undefined) return this.#lock.lost.aborted ? this.#surrender() : this.#stop();
    const { record } = this.#ownership;
    const reason = `${record.owner} owns the lease ${lease.settings.key} (token ${record.token ?? "unknown"})`;
    this.#publisher.publish({ state: "starting", reason, lease: record });
    return undefined;
  }

  #tellTrouble(trouble: string | undefined): void {
    if (this.#lock.lost.aborted) return;
    const reason = trouble === undefined ? "the lease is renewed again" : `the lease is not renewed: ${trouble}`;
    this.#publisher.publish({ reason });
  }

  /** The lease is lost: ends the gateway, then waits for the lease again, unless waiting was refused. */
  async #standBack(exit: GatewayExit | null = null): Promise<KeeperOutcome | undefined> {
    const reason = `the lease was lost: ${this.#ownership?.reason ?? "it is over"}`;
    this.#publisher.publish({ state: "stopping", reason }, exit);
    const result = await this.#end(this.#spec.stopTimeoutMs, this.#spec.force);
    if (this.#survived) return this.#fail("STOP_INCOMPLETE", `${reason}; ${result.detail}`);
    if (this.#spec.stop.aborted) return this.#stop();
    if (this.#spec.lease?.whenHeld === "fail") return this.#fail("LEASE_UNAVAILABLE", reason, exit);
    this.#publisher.publish({ state: "standby", reason: `${reason}; the gateway was stopped`, ...GONE, lease: null });
    return undefined;
  }

  /** Gives the lease back when no process of the run lives; returns the result, to be added to a sentence. */
  async #disown(): Promise<string> {
    const ownership = this.#ownership;
    this.#ownership = undefined;
    if (ownership === undefined) return "";
    return (await ownership.release(this.#survived)) ? "; the lease was given back" : "; the lease runs out by itself";
  }

  /** The lock is lost. Another owner may publish by now, so we publish nothing. */
  async #surrender(): Promise<KeeperOutcome> {
    const result = await this.#end(this.#spec.stopTimeoutMs);
    const detail = `the lock was lost; the gateway was stopped: ${result.detail}`;
    this.#publisher.noteLoss(detail);
    return { outcome: "failed", record: null, detail };
  }

  async #stop(): Promise<KeeperOutcome> {
    const { stopTimeoutMs, force } = this.#spec;
    this.#publisher.publish({ state: "stopping" });
    const { stopRequestPath } = this.#spec;
    const deadline = new StopDeadline(stopRequestPath, this.#nonce, stopTimeoutMs);
    const result = await this.#end(stopTimeoutMs, force, deadline.at);
    const onRequest = stopRequestPath !== undefined && hasStopRequest(stopRequestPath, this.#nonce);
    if (stopRequestPath !== undefined) removeStopRequest(stopRequestPath);
    const exit = await this.#lastExit();
    if (this.#survived) return this.#fail("STOP_INCOMPLETE", result.detail);
    const lastExit = exit ?? this.#publisher.record.lastExit;
    const detail = `${result.detail}${await this.#disown()}`;
    const killed = result.killed ? ({ killed: true } as const) : {};
    this.#publisher.publish(
      { state: "stopped", reason: detail, ...GONE, keeper: null, lastExit, ...killed },
      exit ?? null,
    );
    return { outcome: "stopped", record: this.#publisher.record, detail, ...(onRequest ? { onRequest } : {}) };
  }

  /** Ends the rest of the run; with a lease, before the lease is over. */
  async #end(timeoutMs: number, hurry?: AbortSignal, deadline?: () => number): Promise<StopResult> {
    const { host, port, ports } = this.#spec;
    this.#ownership?.noteAsked();
    const reasons = [hurry, this.#ownership?.over].filter((signal) => signal !== undefined);
    const force = reasons.length === 0 ? undefined : AbortSignal.any(reasons);
    // While the tree lives, we can see which processes do not belong to it.
    const outside = this.#outside.find(this.#run);
    const result = await stopProcessTree({
      ...this.#run,
      known: findLockHeirs(this.#lock.fd),
      sparing: this.#sparing,
      host,
      ports: [port, ...Object.values(ports)],
      timeoutMs,
      deadline,
      ...(force === undefined ? {} : { force }),
      onProgress: (reason) => {
        if (!this.#lock.lost.aborted) this.#publisher.publish({ reason });
      },
    });
    this.#survived = result.survivors.length > 0;
    this.#publisher.addSpared(result.spared);
    this.#publisher.noteOutside(outside);
    return result;
  }

  /** A chore between two checks. */
  #settle(): void {
    const found = this.#outside.look(this.#run);
    if (found !== undefined) this.#publisher.noteOutside(found);
    this.#publisher.settle();
  }

  /** A gateway that was not ready yet may still be moving into the background. */
  get #sparing(): Sparing | undefined {
    const { spares: block, lockDir } = this.#spec;
    return block === undefined || !this.#wasReady ? undefined : { lockDir, sessions: this.#sessions, block };
  }

  #block({ blockedBy: who, leftover }: Blocked, exit: GatewayExit | null = null): KeeperOutcome {
    const isHandedOn = stillListening(this.#publisher.record.outside).some(({ port }) => port === this.#spec.port);
    const blockedBy = isHandedOn ? `${who}; ${HANDED_ON}` : who;
    // A leftover can still be stopped, because `stop` verifies its identity and its nonce.
    const left =
      leftover === null ? GONE : { ...GONE, gateway: leftover, nonce: this.#publisher.earlier?.nonce ?? this.#nonce };
    this.#publisher.publish({ state: "blocked", reason: blockedBy, code: "PORT_IN_USE", ...left, keeper: null }, exit);
    return { outcome: "blocked", record: this.#publisher.record, detail: blockedBy };
  }

  #fail(code: ErrorCode, reason: string, exit: GatewayExit | null = null, listensOn?: string): KeeperOutcome {
    const gateway = this.#survived ? this.#publisher.record.gateway : null;
    const lastExit = exit ?? this.#publisher.record.lastExit;
    const found = listensOn === undefined ? {} : { listensOn };
    this.#publisher.publish(
      { state: "failed", reason, code, ...GONE, gateway, keeper: null, lastExit, ...found },
      exit,
    );
    return { outcome: "failed", record: this.#publisher.record, detail: reason };
  }

  #leave({ leftTo }: LeftInControl): KeeperOutcome {
    this.#publisher.publish({ state: "stopped", reason: `left in control: ${leftTo}`, keeper: null });
    return { outcome: "left-in-control", record: this.#publisher.record, detail: leftTo };
  }

  get #run(): ProcessTreeQuery {
    return { leader: this.#gateway?.identity ?? null, child: this.#gateway?.child, nonce: this.#nonce };
  }
}

/** The hint for a run whose port has been with another process since an earlier run of this profile. */
const HANDED_ON =
  "it began to listen during a run of this profile, outside of its process tree: its command hands its work to a daemon";

/** The fields of every run without a gateway. */
const GONE = { gateway: null, startedAt: null, health: "unknown" } as const;
