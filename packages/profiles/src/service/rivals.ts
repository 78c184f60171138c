/**
 * Finds other mechanisms that start a profile's gateway: another unit of ours, a unit of the program itself, pm2. Two of them
 * fight: each restarts the gateway that the other one stops. Reads files only.
 */
import { realPath, shellCommand, shownCommand } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { foreignPrograms, kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { hostRoots } from "../service-units/host-roots.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import { readPm2List } from "../service-units/pm2-list.ts";
import { isEnabled, readGatewayUnits, unitProfile } from "../service-units/service-units.ts";
import type { ServiceUnit } from "../service-units/service-units.ts";
import { disableCommand } from "../service-units/systemctl.ts";

/** One other mechanism. */
export interface Rival {
  readonly name: string;
  readonly evidence: readonly string[];
  /** The command that stops it for good. */
  readonly disable: string;
}

/** Returns the other mechanisms that start the profile; `ownUnit` is where its own unit lies. */
export async function findRivals(
  { home, env }: Pick<ProfilesContext, "home" | "env">,
  manifest: Manifest,
  ownUnit: string,
): Promise<readonly Rival[]> {
  const roots = hostRoots(env);
  const units = readGatewayUnits(roots).filter(
    (unit) =>
      unit.path !== ownUnit && isEnabled(unit, roots.unitDirectories) && runsIt(unit, home, roots.userHome, manifest),
  );
  const theirs = (await unitsByStateDirectory(roots)).get(realPath(manifest.paths.state)) ?? [];
  return [...[...units, ...theirs].map(rivalOf), ...findPm2Rivals({ home, env }, manifest)];
}

/** Returns the programs of pm2's saved list that run the profile. */
export function findPm2Rivals(
  { home, env }: Pick<ProfilesContext, "home" | "env">,
  manifest: Manifest,
): readonly Rival[] {
  const { userHome } = hostRoots(env);
  return readPm2List(userHome, env)
    .filter((program) => runsIt(program, home, userHome, manifest))
    .map(({ name, argv, path }) => ({
      name: `pm2 (${name})`,
      evidence: [path, shownCommand(argv)],
      disable: `${shellCommand("pm2", "delete", name)} && pm2 save`,
    }));
}

/** Returns the enabled units that start gateways of other programs, by the real state directory of each. */
export async function unitsByStateDirectory(roots: HostRoots): Promise<ReadonlyMap<string, readonly ServiceUnit[]>> {
  const found = new Map<string, readonly ServiceUnit[]>();
  for (const { program } of await foreignPrograms()) {
    for (const { realStateDir, stateDir, units } of await program.findInstallations(roots)) {
      found.set(
        realStateDir ?? stateDir,
        units.filter((unit) => isEnabled(unit, roots.unitDirectories)),
      );
    }
  }
  return found;
}

function rivalOf(unit: ServiceUnit): Rival {
  return { name: unit.name, evidence: [unit.path, shownCommand(unit.argv)], disable: disableCommand(unit) };
}

/** One home may be named by several paths. */
function runsIt(
  launch: Parameters<typeof unitProfile>[0],
  home: string,
  userHome: string,
  manifest: Manifest,
): boolean {
  const { name, kind, paths } = manifest;
  const profile = unitProfile(launch);
  if (profile !== undefined) {
    const itsHome = (profile.home ?? home).replaceAll("%h", userHome);
    return profile.name === name && realPath(itsHome) === realPath(home);
  }
  // The variable by which its kind tells a gateway where its state is, if there is one.
  const own = Object.entries(kinds[kind].environment(manifest, manifest.port));
  const [variable = ""] = own.find(([, value]) => value === paths.state) ?? [];
  const state = launch.environment[variable];
  return state !== undefined && realPath(state) === realPath(paths.state);
}
