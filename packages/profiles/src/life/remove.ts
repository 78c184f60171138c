/**
 * Removes a profile: its folder goes to the trash in one rename, with the manifest in it, so that it can be restored. Only
 * folders that we created are moved; those of an adopted gateway stay in their place. A running profile is refused, and it
 * cannot start while its folder moves, because its lock is held meanwhile.
 */
import { replaceFile } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import type { ProfilesContext } from "../context.ts";
import { whileStopped } from "./while-stopped.ts";
import { formatManifest } from "../manifest.ts";
import { pathsInFolder, removedManifestPath, runRecordPath } from "../profile-paths.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { requireFrom } from "../registry/registry.ts";
import { trashFolder } from "./trash.ts";

/**
 * Returns the profile's folder in the trash.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, PROFILE_RUNNING, and the errors of a change of the
 * registry.
 */
export async function removeProfile(
  { home }: Pick<ProfilesContext, "home">,
  name: string,
): Promise<{ readonly trash: string }> {
  const trash = await changeRegistry(home, async ({ registry, commit }) => {
    const manifest = requireFrom(registry, home, name);
    const others = [...registry.values()].filter((other) => other.name !== manifest.name);
    const folder = manifest.paths.profile;
    const target = trashFolder(home, manifest.name, new Date());
    const discard = [runRecordPath(home, manifest.name)];
    if (!existsSync(folder)) {
      await commit(others, { discard, removed: manifest.name });
      return target;
    }
    const change = {
      make: [removedManifestPath(manifest.paths)],
      move: [{ from: folder, to: target }],
      discard,
      removed: manifest.name,
    };
    const writeManifest = (): Promise<void> =>
      replaceFile(removedManifestPath(manifest.paths), `${formatManifest(home, manifest)}\n`);
    await whileStopped(home, manifest, () => commit(others, change, writeManifest), {
      lockMovesTo: pathsInFolder(target).lock,
    });
    return target;
  });
  return { trash };
}
