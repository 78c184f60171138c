/**
 * Ends one run of a gateway: ask (SIGTERM to the group and to processes that left it), wait until the deadline, kill the rest,
 * then verify that processes have ended and ports are free. Works from a verified leader and the run's nonce alone, so that an
 * orphan can be stopped without its keeper. No process is chosen by port or by name.
 */
import { describeHolder } from "../host/holder.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { judgeProcess } from "../host/process-identity.ts";
import { isPlainlySilent } from "../host/probe-port.ts";
import { signalGroup, signalProcess } from "../host/process-signal.ts";
import type { OwnChild, ProcessTreeQuery, RunProcess } from "../host/process-tree.ts";
import { findRunProcesses } from "../host/process-tree.ts";
import { nextLookMs, pause } from "../pause.ts";
import { viewPorts } from "./port-view.ts";
import type { SparedProcess, Sparing } from "./sparing.ts";
import { describeSpared, tellApart } from "./sparing.ts";

/** What {@link stopProcessTree} ends. */
export interface StopOrder extends ProcessTreeQuery {
  /** What is spared; nothing without it. */
  readonly sparing?: Sparing | undefined;
  readonly host: string;
  /** Ports that must be free afterwards. */
  readonly ports: readonly number[];
  /** How long the gateway has to end by itself. */
  readonly timeoutMs: number;
  /** The deadline, read repeatedly, on the clock of `performance.now()`. @default `timeoutMs` from now */
  readonly deadline?: (() => number) | undefined;
  /** Cuts that time short. */
  readonly force?: AbortSignal;
  /** Called with one line of progress. */
  readonly onProgress?: (text: string) => void;
}

/** The result of {@link stopProcessTree}. */
export interface StopResult {
  /** `stopped`: no process of the run is left and its ports are free. */
  readonly outcome: "stopped" | "incomplete";
  /** Whether a process had to be killed. */
  readonly killed: boolean;
  /** Processes of the run that still live. Empty: the tree has ended. */
  readonly survivors: readonly ProcessIdentity[];
  /** Processes of the run that were spared. */
  readonly spared: readonly SparedProcess[];
  /** The result in words: names remaining processes and holders of ports. */
  readonly detail: string;
}

const DEFAULTS = {
  slowestLookMs: 100,
  /** How often new processes and strays are searched; also done whenever a process has ended. */
  lookAgainMs: 500,
  progressEveryMs: 5_000,
  /** SIGKILL acts at once, but a process in the middle of disk I/O may take a while to end. */
  killTimeoutMs: 5_000,
  /** Sockets close with their process; this is for a socket that a dying process still has to give up. */
  portTimeoutMs: 1_000,
};

/** Ends the run; returns the result. Never throws because of a process that does not end. */
export async function stopProcessTree(order: StopOrder): Promise<StopResult> {
  const tree = new RunTree(order);
  let killed = false;
  const over = performance.now() + order.timeoutMs;
  await tree.signalUntilGone("SIGTERM", order.deadline ?? (() => over), order.force);
  // A process that was forked during one look is seen by the next.
  let survivors = tree.look();
  if (survivors.length > 0) {
    killed = true;
    order.onProgress?.(`killing ${listPids(survivors)}`);
    const dead = performance.now() + DEFAULTS.killTimeoutMs;
    await tree.signalUntilGone("SIGKILL", () => dead);
    survivors = tree.look();
  }
  const { spared } = tree;
  if (survivors.length > 0) {
    return { outcome: "incomplete", killed, survivors, spared, detail: `still running: ${listPids(survivors)}` };
  }
  const held = await waitForPorts(order);
  if (held !== null) return { outcome: "incomplete", killed, survivors, spared, detail: held };
  const left = spared.length === 0 ? "" : `; left alone: ${describeSpared(spared)}`;
  return {
    outcome: "stopped",
    killed,
    survivors,
    spared,
    detail: `${killed ? "killed" : "stopped on request"}${left}`,
  };
}

/** The processes of the run, with a memory: a member once seen stays known after the leader has gone. */
class RunTree {
  readonly #order: StopOrder;
  #known: readonly ProcessIdentity[];
  #spared: readonly SparedProcess[] = [];

  constructor(order: StopOrder) {
    this.#order = order;
    this.#known = order.known ?? [];
  }

  /** The living processes at the last check that are spared. */
  get spared(): readonly SparedProcess[] {
    return this.#spared;
  }

  /** Returns the living processes to end. */
  look(): readonly RunProcess[] {
    const living = findRunProcesses({ ...this.#order, known: this.#known });
    const { own, spared } = tellApart(living, this.#order.sparing, this.#order.known);
    this.#known = own;
    this.#spared = spared;
    return own;
  }

  /** Signals each process once, new ones as they are found, until none is left, the time is over or `hurry` aborts. */
  async signalUntilGone(signal: "SIGTERM" | "SIGKILL", deadlineNow: () => number, hurry?: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    const signalled = new Set<number>();
    let sayAt = startedAt + DEFAULTS.progressEveryMs;
    for (let living = this.look(); living.length > 0; living = this.look()) {
      const fresh = living.filter((member) => !signalled.has(member.pid));
      for (const { pid } of fresh) signalled.add(pid);
      this.#signal(fresh, signal);
      const until = Math.min(deadlineNow(), performance.now() + DEFAULTS.lookAgainMs);
      await waitForDeparture(living, this.#order.child, until, hurry);
      const now = performance.now();
      const deadline = deadlineNow();
      if (now >= deadline || hurry?.aborted === true) return;
      if (now < sayAt) continue;
      sayAt = now + DEFAULTS.progressEveryMs;
      const waited = `${Math.round((now - startedAt) / 1_000)} s of ${Math.round((deadline - startedAt) / 1_000)} s`;
      this.#order.onProgress?.(`waiting for ${listPids(living)} to end (${waited})`);
    }
  }

  /** No process gets SIGTERM twice: to many gateways a second one means "now, whatever is lost". */
  #signal(fresh: readonly RunProcess[], signal: "SIGTERM" | "SIGKILL"): void {
    const { leader, nonce, child } = this.#order;
    const withLeader = leader !== null && fresh.some(({ pid }) => pid === leader.pid);
    // One signal for the group reaches members that were forked after the check.
    const reachedGroup = withLeader && signalGroup(leader, signal, nonce, child) === "sent";
    for (const member of fresh) {
      if (!(reachedGroup && member.inGroup)) signalProcess(member, signal, { child });
      // A paused process sees SIGTERM only when it runs again.
      if (signal === "SIGTERM") signalProcess(member, "SIGCONT", { child });
    }
  }
}

/** Returns when one of `living` has ended, or at `deadline` (monotonic), or when `hurry` aborts. */
async function waitForDeparture(
  living: readonly RunProcess[],
  child: OwnChild | undefined,
  deadline: number,
  hurry?: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const hasGone = (member: RunProcess): boolean =>
    child?.pid === member.pid ? child.hasEnded() : judgeProcess(member) === "gone";
  const reported = new AbortController();
  if (living.some(({ pid }) => pid === child?.pid)) void child?.ended?.then(() => reported.abort());
  const wake = AbortSignal.any([reported.signal, ...(hurry === undefined ? [] : [hurry])]);
  while (!living.some(hasGone)) {
    const now = performance.now();
    if (now >= deadline || hurry?.aborted === true) return;
    await pause(Math.min(nextLookMs(now - startedAt, DEFAULTS.slowestLookMs), deadline - now), wake);
  }
}

/** Returns null when every port of the order is free, or the holder of one at the end of the wait. */
async function waitForPorts(order: StopOrder): Promise<string | null> {
  const startedAt = performance.now();
  for (;;) {
    if (await areSilent(order)) return null;
    const seen = await viewPorts(order.host, order.ports, order);
    if (seen.view === "nobody" || seen.view === "unknown") return null;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs >= DEFAULTS.portTimeoutMs) return `${seen.address} is held by ${describeHolder(seen.holder)}`;
    await pause(nextLookMs(waitedMs, DEFAULTS.slowestLookMs));
  }
}

async function areSilent({ host, ports }: StopOrder): Promise<boolean> {
  for (const port of new Set(ports)) if (!(await isPlainlySilent(host, port))) return false;
  return true;
}

function listPids(processes: readonly ProcessIdentity[]): string {
  return `pid ${processes.map(({ pid }) => pid).join(", ")}`;
}
