/**
 * The other end of `hand-over.ts`, in a keeper outside of the gateway's process tree: it waits until the asking process has
 * ended and then ends the present run. For a restart it runs the next one itself.
 */
import { identifyProcess, judgeProcess } from "@lockkeeper/core/internal";
import type { ProcessIdentity } from "@lockkeeper/core";
import { setTimeout as delay } from "node:timers/promises";
import type { ProfilesContext } from "../context.ts";
import type { Errand } from "./spawn-keeper.ts";
import { stopProfile } from "./stop.ts";

/** How long the asking process may take to confirm; afterwards it ends with the gateway. */
const ASKER_GRACE_MS = 2_000;
const POLL_MS = 10;

/** On return the asking process has ended or used up its time, and its run is ended. */
export async function endPresentRun(context: ProfilesContext, profile: string, errand: Errand): Promise<void> {
  const asker = identifyProcess(errand.askedBy);
  if (asker !== undefined) await waitForEnd(asker);
  await stopProfile(context, profile, { timeoutMs: errand.timeoutMs });
}

async function waitForEnd(asker: ProcessIdentity): Promise<void> {
  const deadline = performance.now() + ASKER_GRACE_MS;
  while (judgeProcess(asker) !== "gone" && performance.now() < deadline) await delay(POLL_MS);
}
