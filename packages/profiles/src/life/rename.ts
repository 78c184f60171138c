/**
 * Gives a stopped profile another name: its folder, its manifest, the default of `use`, and the paths in its own config change
 * together or not at all. Its ports, its token and an adopted gateway's own folders stay as they are. The folder of a gateway
 * that stores absolute paths keeps its first name, and the manifest says so.
 */
import type { ProfilesContext } from "../context.ts";
import { hostRoots } from "../service-units/host-roots.ts";
import { readGatewayUnits, unitProfile } from "../service-units/service-units.ts";
import { statusAfterChange } from "../status/observe-all.ts";
import { kinds } from "../kinds/kinds.ts";
import { isAdopted } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { parseProfileName } from "../profile-name.ts";
import type { ProfileName } from "../profile-name.ts";
import { profilePaths, runRecordPath } from "../profile-paths.ts";
import type { ProfilePaths } from "../profile-paths.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { refuseExisting } from "./refuse-existing.ts";
import { requireFrom } from "../registry/registry.ts";
import { moveManifest, movePath } from "./moved-manifest.ts";
import { whileStopped } from "./while-stopped.ts";

/** The profile under its new name. */
export interface RenameResult {
  readonly status: ProfileStatus;
  /** Other places with the old name that we must not change, one fact each. */
  readonly notes: readonly string[];
}

/**
 * Renames the profile.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, PROFILE_EXISTS, PROFILE_RUNNING, and the errors of a
 * change of the registry.
 */
export async function renameProfile(context: ProfilesContext, from: string, to: string): Promise<RenameResult> {
  const { home } = context;
  const name = parseProfileName(to);
  const renamed = await changeRegistry(home, async ({ registry, commit }) => {
    const before = requireFrom(registry, home, from);
    await refuseExisting(home, registry, name, { self: before });
    const keeps = kinds[before.kind].remembersPaths === "yes" && !isAdopted(before);
    const after = keeps ? { ...before, name } : renamedManifest(home, before, name);
    const others = [...registry.values()].filter((other) => other.name !== before.name).map(follow(before.name, name));
    const change = {
      ...(keeps ? {} : { move: [{ from: before.paths.profile, to: after.paths.profile }] }),
      discard: [runRecordPath(home, before.name)],
      renamed: { from: before.name, to: name },
    };
    await whileStopped(home, before, () => commit([...others, after], change), {
      lockMovesTo: keeps ? undefined : after.paths.lock,
    });
    return after;
  });
  return {
    status: await statusAfterChange(context, renamed),
    notes: readGatewayUnits(hostRoots(context.env))
      .filter((unit) => unitProfile(unit)?.name === from)
      .map((unit) => `${unit.path} still starts ${from}`),
  };
}

/** Profiles that start after this one use its new name. */
function follow(from: ProfileName, to: ProfileName): (other: Manifest) => Manifest {
  return (other) =>
    other.after?.includes(from) === true
      ? { ...other, after: other.after.map((each) => (each === from ? to : each)) }
      : other;
}

function renamedManifest(home: string, before: Manifest, name: ProfileName): Manifest {
  const usual = profilePaths(home, name);
  const from = before.paths.profile;
  const { config, state, workspace } = before.paths;
  const paths: ProfilePaths = {
    ...usual,
    config: movePath(config, from, usual.profile),
    state: movePath(state, from, usual.profile),
    workspace: movePath(workspace, from, usual.profile),
  };
  return { ...moveManifest(before, from, usual.profile), name, paths };
}
