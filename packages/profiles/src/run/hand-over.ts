/**
 * Hands over a stop or restart that was requested from inside the gateway's own process tree. The asking process would be
 * ended half-way, so a keeper outside of the tree does the work, in `end-present-run.ts`.
 */
import { once } from "node:events";
import { bondOf } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { bondOfRun, unverified } from "./run-bond.ts";
import { spawnKeeper } from "./spawn-keeper.ts";
import type { Errand } from "./spawn-keeper.ts";

/**
 * On return a process that survives the end of the gateway has the errand.
 *
 * @throws {LockkeeperError} RECORD_UNVERIFIED when the recorded gateway does not belong to this profile: it may be our shell
 * or our terminal, which the errand would end.
 */
export async function handOver(
  context: ProfilesContext,
  { manifest, record, observed }: ProfileObservation,
  errand: Errand["errand"],
  timeoutMs: number | undefined,
): Promise<void> {
  const profile = manifest.name;
  const leader = observed.gateway ?? observed.keeper;
  if (record !== undefined && leader !== null && bondOf(leader, bondOfRun(context, manifest, record)) === "no") {
    throw unverified(profile, observed.gateway === null ? "keeper" : "gateway", leader);
  }
  const starter = await spawnKeeper(context, {
    manifest,
    startedBy: `lockkeeper ${errand} (pid ${process.pid}, inside the gateway)`,
    errand: { errand, askedBy: process.pid, timeoutMs },
  });
  starter.stdout?.destroy();
  if (starter.exitCode === null) await once(starter, "exit");
}
