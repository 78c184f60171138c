/**
 * The sentinel's duty: end a run when its lease is over, whatever has happened to its keeper. A keeper that is killed or
 * stopped cannot end anything, so a second process in its own session is told every new deadline and acts on it alone. It
 * talks to no engine and holds no lock.
 */
import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

import { isUntouchable, signalGroup, signalProcess } from "../host/process-signal.ts";
import type { RunProcess } from "../host/process-tree.ts";
import { findRunProcesses } from "../host/process-tree.ts";
import { pause } from "../pause.ts";
import { bootTimeMs } from "./boot-clock.ts";
import type { SentinelOrder } from "./sentinel-order.ts";
import { DISMISSED, formatOrder, parseOrder } from "./sentinel-order.ts";

/** Why a sentinel's duty is over. `ended`: it had to kill. `outlived`: its keeper died, and the gateway ended when asked. */
export type SentinelOutcome = "dismissed" | "ended" | "outlived";

const DEFAULTS = {
  /** A gateway on a paused host can go on writing for this long after the host wakes. */
  tickMs: 50,
  /** Walking all processes is too expensive for every tick. */
  walkMs: 250,
  /** Pause between two rounds of killing: the first one, and the longest. */
  killMs: 10,
  slowestKillMs: 500,
};

/**
 * Does the duty until it is over. Every order that was understood is answered on `output` by its deadline.
 *
 * When the keeper's end of `input` closes without a dismissal, the keeper is dead and no renewal will come. The gateway is
 * then asked to end at once, and killed at its deadline. As no keeper watches this sentinel any more, it starts a second one:
 * each of the two has the whole order.
 */
export async function standSentinel(input: Readable, output: Writable): Promise<SentinelOutcome> {
  const post = new Post(input, output);
  let isAsked = false;
  let hasKilled = false;
  let walkAt = 0;
  for (;;) {
    await pause(DEFAULTS.tickMs);
    const { order, isDismissed, isAlone } = post;
    if (isDismissed) return "dismissed";
    if (order === undefined) {
      if (isAlone) return "dismissed";
      continue;
    }
    const now = bootTimeMs();
    if (now >= order.endsAtMs) {
      // A keeper that was stopped in the middle of a start may still start a gateway when it goes on.
      if (now < walkAt) continue;
      hasKilled = (await killRun(order)) || hasKilled;
      if (isAlone) return "ended";
      walkAt = now + DEFAULTS.walkMs;
    } else if (isAlone && now >= walkAt) {
      const members = findMembers(order);
      if (members.length === 0) return hasKilled ? "ended" : "outlived";
      if (!order.asked && !isAsked) signalAll(order, members, "SIGTERM");
      isAsked = true;
      walkAt = now + DEFAULTS.walkMs;
    }
  }
}

/** The pipe from the keeper: the latest order, and whether the keeper still lives. */
class Post {
  order: SentinelOrder | undefined;
  isDismissed = false;
  isAlone = false;

  constructor(input: Readable, output: Writable) {
    let rest = "";
    input.setEncoding("utf8");
    input.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line, output);
    });
    const leave = (): void => {
      if (!this.isAlone && !this.isDismissed && this.order !== undefined) callForRelief(this.order);
      this.isAlone = true;
    };
    for (const event of ["end", "error", "close"]) input.once(event, leave);
    output.on("error", () => undefined);
  }

  #take(line: string, output: Writable): void {
    const said = parseOrder(line);
    if (said === undefined) return;
    if (said === DISMISSED) this.isDismissed = true;
    else {
      this.order = withinBounds(said);
      output.write(`${said.endsAtMs}\n`);
    }
  }
}

/**
 * The order comes from our keeper alone, by a pipe, and names a child that it knows by its handle: the leader needs no other
 * bond. An order that names this process or one of its ancestors is wrong; then the run is known by its nonce only.
 */
function withinBounds(order: SentinelOrder): SentinelOrder {
  return order.leader !== null && isUntouchable(order.leader.pid) ? { ...order, leader: null } : order;
}

function callForRelief(order: SentinelOrder): void {
  if (order.isRelief === true) return;
  const argv = process.argv.slice(1);
  const child = spawn(process.execPath, argv, { cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  // The first one asks the gateway to end.
  child.stdin.end(formatOrder({ ...order, asked: true, isRelief: true }));
  child.unref();
}

function findMembers({ leader, nonce }: SentinelOrder): readonly RunProcess[] {
  return findRunProcesses({ leader, nonce });
}

/**
 * Kills until no process of the run is left; returns whether there was one. A process that cannot die (a hung disk) is tried
 * for ever: nothing else is safe.
 */
async function killRun(order: SentinelOrder): Promise<boolean> {
  const { leader } = order;
  // This comes before the walk over all processes, during which a host that has just woken could write many times.
  const reached = leader !== null && signalGroup(leader, "SIGKILL") === "sent";
  let members = findMembers(order);
  const hadAny = reached || members.length > 0;
  for (let waitMs = DEFAULTS.killMs; members.length > 0; waitMs = Math.min(2 * waitMs, DEFAULTS.slowestKillMs)) {
    signalAll(order, members, "SIGKILL");
    await pause(waitMs);
    members = findMembers(order);
  }
  return hadAny;
}

function signalAll(
  { leader, nonce }: SentinelOrder,
  members: readonly RunProcess[],
  signal: "SIGTERM" | "SIGKILL",
): void {
  // One signal for the group reaches members that were forked after the look.
  const reached = leader !== null && signalGroup(leader, signal, nonce) === "sent";
  for (const member of members) {
    if (!(reached && member.inGroup)) signalProcess(member, signal);
    // A paused process gets to see SIGTERM only once it runs again.
    if (signal === "SIGTERM") signalProcess(member, "SIGCONT");
  }
}
