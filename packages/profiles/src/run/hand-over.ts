/**
 * A stop or restart asked for from inside the gateway's own process tree. The asker would be ended half-way, so the
 * work is handed to a keeper outside of the tree, which goes on in `end-present-run.ts`.
 */
import { once } from "node:events";
import { bondOf } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { bondOfRun, unverified } from "./run-bond.ts";
import { spawnKeeper } from "./spawn-keeper.ts";
import type { Errand } from "./spawn-keeper.ts";

/**
 * On return the errand is in the hands of a process that the end of the gateway does not reach.
 *
 * @throws {LockkeeperError} RECORD_UNVERIFIED when what is recorded as the gateway is not this profile's own: it may be our
 *   shell or our terminal, which the errand would end.
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
    profile,
    startedBy: `lockkeeper ${errand} (pid ${process.pid}, inside the gateway)`,
    passEnv: manifest.passEnv,
    errand: { errand, askedBy: process.pid, timeoutMs },
  });
  starter.stdout?.destroy();
  if (starter.exitCode === null) await once(starter, "exit");
}
