/** Stops a profile and starts it again: never two gateways at any moment, and a keeper again for an orphan. */
import type { ProfilesContext } from "../context.ts";
import type { ProfileStatus } from "../profile-status.ts";
import { startProfile } from "./start.ts";
import { stopProfile } from "./stop.ts";

export interface RestartOptions {
  /** For each half, in milliseconds. @default by kind */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

export interface RestartResult {
  readonly outcome: "restarted";
  readonly status: ProfileStatus;
}

/** Restarts the profile; a stopped one is started. Throws what stop and start throw. */
export async function restartProfile(
  context: ProfilesContext,
  name: string,
  options: RestartOptions = {},
): Promise<RestartResult> {
  await stopProfile(context, name, options);
  const { status } = await startProfile(context, name, options);
  return { outcome: "restarted", status };
}
