/**
 * Creates profiles, one or many at once: a name, a block of ports, folders, a token, the gateway's first config, and the
 * manifest, all or nothing. The block is chosen under the registry's mutex, so any number of creations may run at once.
 */
import { ensurePrivateDirectories } from "@lockkeeper/core/internal";
import { dirname } from "node:path";
import { directoriesOf, refuseShared } from "../directories/directory-rules.ts";
import { readEnvFile } from "../env-file.ts";
import { refuseUnknownPlaceholders } from "./profile-options.ts";
import { checkCreateOptions } from "./create-options.ts";
import type { CheckedOptions, CreateOptions } from "./create-options.ts";
import { readEnclosingHomes } from "../directories/enclosing-homes.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { chooseBlock, readPortSituation } from "../ports/port-choice.ts";
import { profilePaths } from "../profile-paths.ts";
import { refuseExisting } from "./refuse-existing.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { readRegistry } from "../registry/registry.ts";
import { launchPlan } from "../run/launch-plan.ts";
import { writeNewToken } from "./token.ts";
import { warnOfWideBind } from "../wide-bind.ts";

/**
 * Returns the manifest of the new profile, which is completely on disk. Starts nothing.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID, PORT_INVALID, OPTION_INVALID for a wrong request; UNSAFE_PATH for an env
 * file that others can touch; PROFILE_EXISTS; DIRECTORY_SHARED when `home` lies in a profile of another home; PORTS_OVERLAP,
 * PORTS_EXHAUSTED, PERMISSION_DENIED for its ports; the errors of {@link changeRegistry}.
 * @throws {GatewayLockError} PORT_IN_USE when a port asked for is taken; BIND_FAILED when `host` is not an address of this
 * machine.
 */
export async function createProfile(home: string, options: CreateOptions): Promise<Manifest> {
  const [created] = await createProfiles(home, [options]);
  if (created === undefined) throw new Error("a profile that was made is missing");
  return created;
}

/**
 * Returns the manifests of the new profiles, in the order of `requests`. Either all of them are on disk, or none.
 * Throws as {@link createProfile}.
 */
export async function createProfiles(home: string, requests: readonly CreateOptions[]): Promise<readonly Manifest[]> {
  const all = requests.map(checkCreateOptions);
  // The values are not kept: this only checks that a start could read them.
  for (const { fields } of all) if (fields.envFile !== undefined) await readEnvFile(fields.envFile);
  // Read before the mutex is taken, so that others wait less; the bind of each port catches later changes.
  const situation = await readPortSituation(home, readRegistry(home));
  const created = await changeRegistry(home, async ({ registry, commit }) => {
    const known = new Map(registry);
    const enclosing = readEnclosingHomes(home);
    const manifests: Manifest[] = [];
    for (const checked of all) {
      const { name } = checked;
      await refuseExisting(home, known, name);
      const { first: port } = await chooseBlock(home, known, checked, situation);
      const manifest = manifestOf(checked, port, profilePaths(home, name));
      // Refuse now what a start would refuse, such as an unknown placeholder.
      launchPlan(manifest, "");
      refuseUnknownPlaceholders(manifest, checked.fields.env ?? {});
      refuseShared(directoriesOf(manifest, home), enclosing);
      known.set(name, manifest);
      manifests.push(manifest);
    }
    await commit(known.values(), { make: manifests.map(({ paths }) => paths.profile) }, async () => {
      for (const manifest of manifests) await makeFolders(manifest);
    });
    return manifests;
  });
  for (const manifest of created) warnOfWideBind(manifest);
  return created;
}

/** Returns the manifest of a requested profile on that base. Pure. */
export function manifestOf(checked: CheckedOptions, port: number, paths: Manifest["paths"]): Manifest {
  const { name, kind, host, span, offsets, fields } = checked;
  return {
    schemaVersion: 1,
    name,
    kind,
    host,
    port,
    span,
    ports: Object.fromEntries(Object.entries(offsets).map(([label, offset]) => [label, port + offset])),
    ...fields,
    createdAt: new Date().toISOString(),
    paths,
  };
}

async function makeFolders(manifest: Manifest): Promise<void> {
  const { paths } = manifest;
  ensurePrivateDirectories([paths.lock, dirname(paths.config), paths.state, paths.workspace, paths.logs]);
  await kinds[manifest.kind].seed(manifest, await writeNewToken(paths.token));
}
