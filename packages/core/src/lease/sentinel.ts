/**
 * The sentinel's duty: to end a run when its lease is over, whatever has become of its keeper. A keeper that is killed or
 * stopped cannot end anything; so a second process, in a session of its own, is told every new deadline and needs
 * nobody to act on it. It talks to no engine and keeps no lock.
 */
import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

import { signalGroup, signalProcess } from "../host/process-signal.ts";
import type { RunProcess } from "../host/process-tree.ts";
import { findRunProcesses } from "../host/process-tree.ts";
import { pause } from "../pause.ts";
import { bootTimeMs } from "./boot-clock.ts";
import type { SentinelOrder } from "./sentinel-order.ts";
import { DISMISSED, formatOrder, parseOrder } from "./sentinel-order.ts";

/** Why a sentinel's duty is over. `ended`: it had to kill. `outlived`: its keeper died, and the gateway ended when asked. */
export type SentinelOutcome = "dismissed" | "ended" | "outlived";

const DEFAULTS = {
  /** A paused host writes on for as long as this after it wakes. */
  tickMs: 50,
  /** A walk over all processes is too dear for every tick. */
  walkMs: 250,
  /** Between two rounds of killing, at first and at most. */
  killMs: 10,
  slowestKillMs: 500,
};

/**
 * Does the duty until it is over. Every order that was understood is answered on `output` by its deadline.
 *
 * When the keeper's end of `input` closes without a dismissal, the keeper is dead and nobody will renew: the gateway is
 * asked to end at once, and killed at the deadline it had. From then on nobody would see this sentinel die either, so it
 * starts the program that it runs in once more: two are left, each with the whole order.
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
      // While the keeper lives it may, stopped in the middle of starting one, still start a gateway.
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

/** The pipe from the keeper: the latest order, and whether there still is somebody who gives them. */
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
      this.order = said;
      output.write(`${said.endsAtMs}\n`);
    }
  }
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

/** Kills until nobody is left; returns whether there was anybody. What cannot die (a disk that hangs) is tried for ever: nothing else is safe. */
async function killRun(order: SentinelOrder): Promise<boolean> {
  const { leader } = order;
  // Before the walk over all processes, which takes as long as many a write of a host that has just woken.
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
