/** The path of a gateway's output. */
import { gatewayLogPath } from "@lockkeeper/profiles";
import type { Profiles } from "@lockkeeper/profiles";

/**
 * Returns the path of the log, without asking the gateway for its health, because logs are read when the gateway is in
 * trouble.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, REGISTRY_DAMAGED.
 */
export async function gatewayLog(profiles: Profiles, name: string): Promise<string> {
  return gatewayLogPath((await profiles.find(name)).paths);
}
