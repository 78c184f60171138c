/** Asks a gateway for its health now, as far as it can be asked from here. */
import type { Health } from "@lockkeeper/core";
import { checkHealth, parseHealthCheck } from "../kinds/health-check.ts";
import type { ProfileObservation } from "./observe-profile.ts";

/** Returns the health of a serving gateway at `host` and `port`; `unknown` when silence proves nothing. */
export async function askHealth(
  { manifest, observed }: ProfileObservation,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Health> {
  const health = await checkHealth(parseHealthCheck(manifest.health, manifest.kind, manifest.scheme), host, port);
  // A gateway in another container may listen in a network of its own.
  return health === "failing" && observed.owner !== "here" ? "unknown" : health;
}
