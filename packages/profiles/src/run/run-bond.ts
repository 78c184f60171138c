/** The evidence that a process must show before it is signalled as part of a profile's run. */
import { LockkeeperError } from "@lockkeeper/core";
import { holdsDisplacedLock, isHiddenHere, lookAtKernelLocks, readGatewayLock } from "@lockkeeper/core/internal";
import type { ProcessIdentity, RunRecord } from "@lockkeeper/core";
import type { RunBond } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { lockPlace } from "../profile-paths.ts";

/** Returns the bond between the run of `record` and this profile of this home. */
export function bondOfRun({ home }: ProfilesContext, { name, paths }: Manifest, { nonce }: RunRecord): RunBond {
  return {
    nonce,
    profile: name,
    home,
    lockDir: paths.lock,
    holdsDisplaced: (pid) => holdsDisplacedLock(pid, { profile: name, configPath: paths.config }),
    get heldFor() {
      const place = lockPlace(paths);
      const answer = lookAtKernelLocks().ask(place);
      const isHidden = answer.verdict === "held" && answer.findHolders().length === 0;
      return isHidden ? (readGatewayLock(place)?.gateway ?? undefined) : undefined;
    },
  };
}

/** Returns the error for a recorded process that may not be ours. */
export function unverified(name: string, what: "keeper" | "gateway", identity: ProcessIdentity): LockkeeperError {
  const { pid } = identity;
  return new LockkeeperError(
    "RECORD_UNVERIFIED",
    `the ${what} of ${name} (pid ${pid}) cannot be verified, so nothing was signalled`,
    {
      hint: isHiddenHere(identity)
        ? `This host hides it from its own user (hidepid). If it still is the ${what}: kill ${pid}`
        : "Run it as the same user and in the same container as the keeper.",
    },
  );
}
