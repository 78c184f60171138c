/**
 * Finds gateways that run with a state directory in an unusual place: no folder of the user's home and no unit leads there. The
 * variables of the process do; they are believed only when the program's record in that place names this very process.
 */
import { identifyProcess, readProcessLaunch } from "@lockkeeper/core/internal";
import type { ForeignProgram } from "../foreign-program.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import type { ListeningPort } from "./answering-listeners.ts";
import { locateInstallations } from "./located-installation.ts";
import type { LocatedInstallation } from "./located-installation.ts";

/** Returns the gateways of our own user's home among the answering listeners that are not in `known`. */
export async function livingElsewhere(
  program: ForeignProgram,
  roots: HostRoots,
  listening: readonly ListeningPort[],
  known: readonly LocatedInstallation[],
): Promise<readonly LocatedInstallation[]> {
  const places = listening.flatMap(({ owner, health }) => {
    const identity = owner === null || health !== "ok" ? undefined : identifyProcess(owner.pid);
    const launch = identity === undefined ? undefined : readProcessLaunch(identity);
    return launch === undefined ? [] : program.placesOf(launch);
  });
  if (places.length === 0) return [];
  const knownDirs = new Set(known.map(({ installation }) => installation.realStateDir));
  return locateInstallations(await program.findInstallations(roots, places), listening).filter(
    ({ installation: { mine, realStateDir, records }, live }) =>
      mine === "yes" &&
      !knownDirs.has(realStateDir) &&
      records.some(({ owner, role }) => owner !== null && owner.pid === live?.owner?.pid && role === "gateway"),
  );
}
