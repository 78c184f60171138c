/**
 * Finds a gateway of the profile that no record names, because somebody removed its record and its lock file. Its environment
 * says whose it is, which is enough to name it and too little to signal it.
 */
import { LockkeeperError } from "@lockkeeper/core";
import {
  carriesRun,
  coversAddress,
  describeHolder,
  findHolders,
  probeListener,
  readListeners,
  readRunNonce,
} from "@lockkeeper/core/internal";
import type { HomePlace } from "../context.ts";
import type { Manifest } from "../manifest.ts";

/**
 * Returns when no such gateway listens on the profile's port, or when the host does not show it.
 *
 * @throws {LockkeeperError} RECORD_UNVERIFIED naming it.
 */
export async function refuseUnrecorded({ home }: HomePlace, { name, host, port }: Manifest): Promise<void> {
  // A `down` asks this of many profiles, and the host's table takes much longer than a connect.
  if ((await probeListener(host, port)) !== "listening") return;
  const listeners = readListeners();
  if (listeners === "unknown") return;
  const onPort = listeners.filter((each) => each.port === port && coversAddress(each, host) === "yes");
  const found = [...findHolders(onPort).values()].find(({ pid }) =>
    carriesRun(pid, { nonce: readRunNonce(pid) ?? "", profile: name, home }),
  );
  if (found === undefined) return;
  throw new LockkeeperError(
    "RECORD_UNVERIFIED",
    `${name} has a gateway that no record names, so nothing was signalled`,
    {
      evidence: [`${describeHolder(found)} listens on port ${port} and has this profile and home in its environment`],
      hint: `When you are sure that it is yours: kill ${found.pid}`,
    },
  );
}
