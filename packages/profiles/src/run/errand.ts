/**
 * A stop or restart asked for from inside the gateway's own process tree. The asker would be ended half-way, so the
 * work is handed to a keeper outside of the tree: it waits for the asker to go, ends the present run and, for a
 * restart, keeps the next one itself.
 */
import { identifyProcess, judgeProcess, type ProcessIdentity } from "@lockkeeper/core";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { ProfilesContext } from "../context.ts";
import { spawnKeeper, type Errand } from "./spawn-keeper.ts";
import { stopProfile } from "./stop.ts";

/** How long an asker may take to say that it has handed over; afterwards it ends with the gateway. In milliseconds. */
const askerGraceMs = 2_000;
const pollMs = 10;

/** On return the errand is in the hands of a process that the end of the gateway does not reach. */
export async function handOver(
  context: ProfilesContext,
  profile: string,
  errand: Errand["errand"],
  timeoutMs: number | undefined,
): Promise<void> {
  const starter = await spawnKeeper(context, {
    profile,
    startedBy: `lockkeeper ${errand} (pid ${process.pid}, inside the gateway)`,
    errand: { errand, askedBy: process.pid, timeoutMs },
  });
  starter.stdout?.destroy();
  if (starter.exitCode === null) await once(starter, "exit");
}

/** The other end: on return the asker is gone, or was given its time, and the run that it sat in is ended. */
export async function endPresentRun(context: ProfilesContext, profile: string, errand: Errand): Promise<void> {
  const asker = identifyProcess(errand.askedBy);
  if (asker !== undefined) await waitForEnd(asker);
  await stopProfile(context, profile, { timeoutMs: errand.timeoutMs });
}

async function waitForEnd(asker: ProcessIdentity): Promise<void> {
  const deadline = performance.now() + askerGraceMs;
  while (judgeProcess(asker) !== "gone" && performance.now() < deadline) await delay(pollMs);
}
