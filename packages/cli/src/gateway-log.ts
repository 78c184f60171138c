/** Where a profile's gateway writes its output. */
import path from "node:path";
import type { Profiles } from "@lockkeeper/profiles";

/**
 * Returns the path of the log. Found without asking the gateway for its health: logs are read when that is what is wrong.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, REGISTRY_DAMAGED.
 */
export async function gatewayLog(profiles: Profiles, name: string): Promise<string> {
  return path.join((await profiles.find(name)).paths.logs, "gateway.log");
}
