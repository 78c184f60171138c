/**
 * Watches one gateway until it ends: first for readiness (its listener on the port, in our process tree, and good health),
 * then for liveness. Reports changes and never ends anything itself. Start-up and liveness are judged separately: a slow start
 * is only called slow.
 */
import { hostWithPort } from "../host/address.ts";
import { aborted, nextLookMs, pause } from "../pause.ts";
import { ElsewhereWatch } from "./elsewhere-watch.ts";
import type { Answers, Look } from "./gateway-look.ts";
import { HEALTH_TIMEOUT_MS, lookAt, readinessFault } from "./gateway-look.ts";
import type { KeeperSpec } from "./keeper-spec.ts";
import type { Liveness } from "./liveness.ts";
import { ALIVE, judgeLiveness } from "./liveness.ts";
import { OutputWatch } from "./output-watch.ts";
import type { WatchedRun } from "./port-view.ts";
import { PortWatch } from "./port-view.ts";
import { silenceAfter } from "./hang-guard.ts";
import type { MemoryWatch } from "./memory-guard.ts";
import type { Health } from "./run-record.ts";

/** A change in a run that goes on. */
export interface WatchChange {
  readonly state: "starting" | "running" | "unresponsive";
  readonly reason: string | null;
  readonly health: Health;
  /** The code of a start that will fail at its deadline, as things are. */
  readonly code?: "LISTENER_MISMATCH" | null;
}

/**
 * Why a gateway cannot go on: it listens elsewhere, another process took the port first, it uses too much memory, or it has
 * been silent for longer than the profile allows.
 */
export interface FinalFinding {
  readonly found: "misplaced" | "displaced" | "oversized" | "silent";
  readonly reason: string;
  /** The wrong address that has the run's port. */
  readonly listensOn?: string;
}

const DEFAULTS = {
  slowestStartLookMs: 100,
  /** How much rarer looks are where the gateway's output wakes us as well. */
  restful: 4,
  /** A start that is overdue already. */
  lateStartLookMs: 1_000,
  /** Without a health check, a process that lives this long is running. */
  settleMs: 250,
  /** Cheap enough to be no measurable load; `list` asks the gateway itself as well. */
  livenessIntervalMs: 10_000,
  recheckMs: 1_000,
};

/** Possible origins of a listener outside our process tree: `docker run`, `tmux new -d`, `sudo -b` and the like. */
const CAME_AFTERWARDS =
  "it began to listen after this start, outside of its process tree; a command that hands its work to a daemon needs --health none";

/** Waits for the next look at a gateway that was not ready after `waitedMs`, at a look that took `lookMs`. */
type Rest = (waitedMs: number, lookMs: number) => Promise<void>;

/**
 * Watches until `over` aborts, or until the gateway cannot go on, and then returns why.
 *
 * @param memory watches its memory, once it was ready.
 * @param tell called with every change that is not final.
 * @param idle called after each check of a ready gateway: the moment for chores.
 */
export async function watchGateway(
  spec: KeeperSpec,
  run: WatchedRun,
  over: AbortSignal,
  memory: MemoryWatch,
  tell: (change: WatchChange) => void,
  idle: () => void,
): Promise<FinalFinding | undefined> {
  const port = new PortWatch(spec.host, spec.port, run);
  const answers: Answers = { seen: false };
  let isExpected = false;
  const look = (): Promise<Look> => lookAt(spec, port, isExpected, answers, over);
  const elsewhere = new ElsewhereWatch({ host: spec.host, port: spec.port, span: spec.span ?? 1 }, run);
  const output = new OutputWatch(spec.logPath);
  const rest: Rest = async (waitedMs, lookMs) => {
    const hasOutput = await output.pause(...untilNextLook(spec, output, waitedMs, lookMs), over);
    isExpected = hasOutput && spec.announces === true;
  };
  // A gateway that was just started listens nowhere yet; a successor may listen already.
  if (run.child !== undefined && spec.health.kind !== "none") await rest(0, 0);
  const final = await awaitReadiness(spec, elsewhere, rest, look, over, tell).finally(() => output.close());
  isExpected = false;
  if (final !== undefined || over.aborted) return final;
  const found = new AbortController();
  const until = AbortSignal.any([over, found.signal]);
  try {
    return await Promise.race([
      watchLiveness(spec, look, until, tell, idle),
      watchMemory(memory, run.child?.pid ?? run.leader?.pid, until),
    ]);
  } finally {
    found.abort();
  }
}

async function watchMemory(
  memory: MemoryWatch,
  pid: number | undefined,
  over: AbortSignal,
): Promise<FinalFinding | undefined> {
  const reason = pid === undefined ? undefined : await memory.watch(pid, over);
  if (reason === undefined) await aborted(over, new AbortController().signal);
  return reason === undefined ? undefined : { found: "oversized", reason };
}

async function awaitReadiness(
  spec: KeeperSpec,
  elsewhere: ElsewhereWatch,
  rest: Rest,
  look: () => Promise<Look>,
  over: AbortSignal,
  tell: (change: WatchChange) => void,
): Promise<FinalFinding | undefined> {
  const where = hostWithPort(spec.host, spec.port);
  const startedAt = performance.now();
  let told = "";
  const tellOnce = (reason: string, code: "LISTENER_MISMATCH" | null = null): void => {
    if (reason !== told) tell({ state: "starting", reason, code, health: "unknown" });
    told = reason;
  };
  while (!over.aborted) {
    const lookedAt = performance.now();
    const seen = await look();
    if (over.aborted) return undefined;
    const waitedMs = performance.now() - startedAt;
    const lookMs = performance.now() - lookedAt;
    // The port was free before the gateway was started.
    if (seen.port === "stranger") return { found: "displaced", reason: `${seen.detail}; ${CAME_AFTERWARDS}` };
    const unready = isReady(spec, seen, waitedMs) ? await readinessFault(spec, over) : null;
    if (over.aborted) return undefined;
    if (unready === undefined) {
      tell({ state: "running", reason: seen.health === "ok" ? noteOnReady(seen) : null, health: seen.health });
      return undefined;
    }
    const late = waitedMs >= spec.startTimeoutMs;
    const found = seen.port === "nobody" && spec.announces !== true ? elsewhere.look(waitedMs) : undefined;
    if (found !== undefined && (elsewhere.isSettled(waitedMs) || (late && found.how === "other-port"))) {
      const reason = `listening on ${found.addresses}, expected ${where}`;
      return { found: "misplaced", reason, ...(found.address === undefined ? {} : { listensOn: found.address }) };
    }
    const soFar = found === undefined ? undefined : `listens on ${found.addresses} so far, waiting for ${where}`;
    if (late) {
      tellOnce(`not ready after ${spec.startTimeoutMs} ms, still starting: ${soFar ?? unready ?? seen.detail}`);
    } else if (soFar !== undefined) {
      tellOnce(soFar, found?.how === "aside" ? null : "LISTENER_MISMATCH");
    }
    await rest(waitedMs, lookMs);
  }
  return undefined;
}

/** Returns the shortest and the longest pause before the next look at a gateway that is not ready after `waitedMs`. */
function untilNextLook(
  { announces, startTimeoutMs }: KeeperSpec,
  output: OutputWatch,
  waitedMs: number,
  lookMs: number,
): readonly [shortestMs: number, longestMs: number] {
  const slowestMs = waitedMs >= startTimeoutMs ? DEFAULTS.lateStartLookMs : DEFAULTS.slowestStartLookMs;
  // Where checks are slow, they must not take processor time from the gateway.
  const slowly = (ms: number): number => Math.max(ms, 2 * lookMs);
  if (output.works && announces === true) {
    const longestMs = Math.max(slowestMs, Math.min(DEFAULTS.lateStartLookMs, waitedMs / 2));
    return [slowly(nextLookMs(0, slowestMs)), slowly(longestMs)];
  }
  const shortestMs = slowly(nextLookMs(waitedMs, slowestMs));
  if (!output.works) return [shortestMs, shortestMs];
  return [shortestMs, Math.max(shortestMs, Math.min(slowestMs, DEFAULTS.restful * shortestMs))];
}

async function watchLiveness(
  spec: KeeperSpec,
  look: () => Promise<Look>,
  over: AbortSignal,
  tell: (change: WatchChange) => void,
  idle: () => void,
): Promise<FinalFinding | undefined> {
  const { restartUnresponsiveMs: patienceMs = Infinity } = spec;
  const intervalMs = spec.livenessIntervalMs ?? DEFAULTS.livenessIntervalMs;
  let liveness: Liveness = ALIVE;
  let silentMs = 0;
  let lookedAt = performance.now();
  while (!over.aborted) {
    const waitMs = liveness.failures > 0 ? Math.min(intervalMs, DEFAULTS.recheckMs) : intervalMs;
    const dueAt = performance.now() + waitMs + HEALTH_TIMEOUT_MS;
    await pause(waitMs, over);
    if (silentMs === 0) lookedAt = performance.now();
    const seen = await look();
    if (over.aborted) return undefined;
    const before = liveness.state;
    const now = performance.now();
    const lateMs = now - dueAt;
    liveness = judgeLiveness(liveness, { health: seen.health, lateMs });
    silentMs = silenceAfter(silentMs, { health: seen.health, sinceMs: now - lookedAt, lateMs });
    lookedAt = now;
    if (liveness.state !== before) {
      const well = liveness.state === "running";
      tell({ state: liveness.state, reason: well ? "answers again" : seen.detail, health: seen.health });
    }
    if (liveness.failures === 0) spec.onHealthy?.();
    idle();
    if (liveness.state === "unresponsive" && silentMs >= patienceMs) {
      const reason = `no good answer for ${Math.round(silentMs / 1_000)} s: ${seen.detail}`;
      return { found: "silent", reason };
    }
  }
  return undefined;
}

function isReady(spec: KeeperSpec, seen: Look, waitedMs: number): boolean {
  return spec.health.kind === "none" ? waitedMs >= DEFAULTS.settleMs : seen.health === "ok";
}

function noteOnReady({ detail, port }: Look): string | null {
  if (detail !== "") return detail;
  return port === "unknown" ? "this host does not show whose listener it is" : null;
}
