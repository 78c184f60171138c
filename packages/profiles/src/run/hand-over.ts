/**
 * A stop or restart asked for from inside the gateway's own process tree. The asker would be ended half-way, so the
 * work is handed to a keeper outside of the tree, which goes on in `end-present-run.ts`.
 */
import { once } from "node:events";
import type { ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { spawnKeeper, type Errand } from "./spawn-keeper.ts";

/** On return the errand is in the hands of a process that the end of the gateway does not reach. */
export async function handOver(
  context: ProfilesContext,
  { name: profile, passEnv }: Pick<Manifest, "name" | "passEnv">,
  errand: Errand["errand"],
  timeoutMs: number | undefined,
): Promise<void> {
  const starter = await spawnKeeper(context, {
    profile,
    startedBy: `lockkeeper ${errand} (pid ${process.pid}, inside the gateway)`,
    passEnv,
    errand: { errand, askedBy: process.pid, timeoutMs },
  });
  starter.stdout?.destroy();
  if (starter.exitCode === null) await once(starter, "exit");
}
