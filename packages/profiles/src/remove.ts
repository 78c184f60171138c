/**
 * Removes a profile: its folder goes to the trash in one rename, with the manifest in it, so that it can be restored.
 * Only what we made is moved; what an adopted gateway has elsewhere stays where it is. A running profile is refused,
 * and none can start while its folder moves, because its lock is held meanwhile.
 */
import { acquireGatewayLock, GatewayLockError, LockkeeperError, replaceFile } from "@lockkeeper/core";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ProfilesContext } from "./context.ts";
import { formatManifest, type Manifest } from "./manifest.ts";
import { changeRegistry } from "./registry-change.ts";
import { requireFrom } from "./registry.ts";
import { forgetSelection } from "./selection.ts";

/**
 * Returns the trash folder in which the profile lies now.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, PROFILE_RUNNING, and what changing the registry throws.
 */
export async function removeProfile(
  { home }: Pick<ProfilesContext, "home">,
  name: string,
): Promise<{ readonly trash: string }> {
  const trash = await changeRegistry(home, async ({ registry, commit }) => {
    const manifest = requireFrom(registry, home, name);
    const others = [...registry.values()].filter((other) => other.name !== manifest.name);
    const folder = `profiles/${manifest.name}`;
    const target = `trash/${manifest.name}.${new Date().toISOString().replaceAll(":", "-")}`;
    const discard = [`run/${manifest.name}.json`];
    if (!existsSync(join(home, folder))) {
      await commit(others, { discard });
      return target;
    }
    await whileStopped(manifest, () =>
      commit(others, { make: [`${folder}/manifest.json`], move: [{ from: folder, to: target }], discard }, () =>
        replaceFile(join(home, folder, "manifest.json"), `${formatManifest(home, manifest)}\n`),
      ),
    );
    return target;
  });
  await forgetSelection(home, name);
  return { trash: join(home, trash) };
}

async function whileStopped(manifest: Manifest, action: () => Promise<void>): Promise<void> {
  const { lock: lockDir, config: configPath } = manifest.paths;
  const lock = await acquireGatewayLock({ lockDir, configPath, profile: manifest.name, timeoutMs: 0 }).catch(
    (error: unknown) => {
      if (!(error instanceof GatewayLockError) || error.code !== "LOCK_HELD") throw error;
      const pid = error.ownerPid === undefined ? "" : ` (pid ${error.ownerPid})`;
      throw new LockkeeperError("PROFILE_RUNNING", `${manifest.name} is running${pid}`, {
        cause: error,
        hint: `Stop it first: lockkeeper stop ${manifest.name}`,
      });
    },
  );
  try {
    await action();
  } finally {
    await lock.release();
  }
}
