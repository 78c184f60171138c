/** Asks a gateway for its health now, as far as it can be asked from here. */
import { viewPorts } from "@lockkeeper/core/internal";
import type { Health } from "@lockkeeper/core";
import type { HomePlace } from "../context.ts";
import { checkHealth, parseHealthCheck } from "../kinds/health-check.ts";
import { asStarted } from "../manifest.ts";
import type { ProfileObservation } from "./observe-profile.ts";

/** Returns the health of a serving gateway at `host` and `port`; `unknown` when silence proves nothing. */
export async function askHealth(
  place: Pick<HomePlace, "home">,
  observation: ProfileObservation,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Health> {
  const { manifest, observed, record } = observation;
  const { health: check, kind, scheme } = asStarted(manifest, record);
  const health = await checkHealth(parseHealthCheck(check, kind, scheme), host, port);
  // Its keeper had no answer: another process may have taken the port that the gateway has closed.
  if (health === "ok" && record?.health === "failing" && (await isTaken(place, observation, host, port)))
    return "failing";
  // A gateway in another container may listen in a network of its own.
  return health === "failing" && observed.owner !== "here" ? "unknown" : health;
}

async function isTaken(
  { home }: Pick<HomePlace, "home">,
  { manifest, observed: { gateway }, record }: ProfileObservation,
  host: string,
  port: number,
): Promise<boolean> {
  const run = { leader: gateway, nonce: record?.nonce ?? "", profile: manifest.name, home };
  return (await viewPorts(host, [port], run)).view === "stranger";
}
