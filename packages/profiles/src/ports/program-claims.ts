/**
 * The ports of programs that people also run without Lockkeeper, running or not, and the ports outside their blocks in the
 * configs of our own profiles of such a kind. Their files are only read.
 */
import path from "node:path";
import { foreignPrograms, kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { ownHome } from "../own-home.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import type { PortClaim } from "./port-plan.ts";

/** A claim of an installation, with its real state directory, which identifies a profile that adopted it. */
export interface InstallationClaim extends PortClaim {
  readonly program: string;
  readonly stateDir: string;
}

/** Returns the claims of every installation on this host. */
export async function readInstallationClaims(roots: HostRoots): Promise<readonly InstallationClaim[]> {
  const claims: InstallationClaim[] = [];
  for (const { program } of await foreignPrograms()) {
    for (const { stateDir, realStateDir, ranges } of await program.findInstallations(roots)) {
      const owner = short(stateDir);
      const known = { by: "installation", program: program.title, owner, stateDir: realStateDir ?? stateDir } as const;
      claims.push(...ranges.map((range) => ({ ...range, ...known })));
    }
  }
  return claims;
}

/** Returns the ports outside their blocks in the configs of our own profiles. */
export async function readExtraClaims(manifests: Iterable<Manifest>): Promise<readonly PortClaim[]> {
  const claims: PortClaim[] = [];
  for (const manifest of manifests) {
    const { foreign } = kinds[manifest.kind];
    // Most are of a kind without a program of somebody else's.
    if (foreign === undefined) continue;
    const program = await foreign();
    const { name, port, span } = manifest;
    const { extraRanges } = await program.readConfig(manifest);
    const outside = extraRanges.filter(({ first, last }) => first < port || last >= port + span);
    claims.push(...outside.map((range): PortClaim => ({ ...range, by: "profile", owner: name })));
  }
  return claims;
}

function short(directory: string): string {
  const home = ownHome();
  return directory.startsWith(home + path.sep) ? `~${directory.slice(home.length)}` : directory;
}
