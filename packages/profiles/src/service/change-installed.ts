/** Removes and renames a profile that a service manager keeps: its unit goes first, so that it starts nothing that is gone. */
import type { ProfilesContext } from "../context.ts";
import { removeProfile } from "../life/remove.ts";
import { renameProfile } from "../life/rename.ts";
import type { RenameResult } from "../life/rename.ts";
import { running } from "../life/while-stopped.ts";
import type { Manifest } from "../manifest.ts";
import { observeManifest } from "../status/observe-profile.ts";
import { installService, uninstallService } from "./install.ts";

/**
 * On return the profile and its unit have the new name.
 *
 * @throws {LockkeeperError} PROFILE_RUNNING, and what a rename, an install and an uninstall throw; the unit is put back when the
 *   rename fails.
 */
export async function renameInstalled(context: ProfilesContext, manifest: Manifest, to: string): Promise<RenameResult> {
  refuseRunning(context, manifest);
  const { service } = manifest;
  const options = {
    manager: service?.manager === "launchd" ? "launchd" : "systemd",
    system: service?.manager === "systemd",
    boot: service?.boot,
    harden: service?.harden,
    watchdogMs: service?.watchdogMs,
  } as const;
  await uninstallService(context, manifest.name);
  try {
    const result = await renameProfile(context, manifest.name, to);
    await installService(context, to, options);
    return result;
  } catch (error) {
    // The first error tells what went wrong; a profile without its unit would only come as a surprise.
    await installService(context, manifest.name, options).catch(() => undefined);
    throw error;
  }
}

/** On return neither the unit nor the profile is there; the profile lies in the trash. Throws as {@link renameInstalled}. */
export async function removeInstalled(
  context: ProfilesContext,
  manifest: Manifest,
): Promise<{ readonly trash: string }> {
  refuseRunning(context, manifest);
  await uninstallService(context, manifest.name);
  return removeProfile(context, manifest.name);
}

/** Taking a unit away stops what runs; a verb that needs a stopped profile must not. */
function refuseRunning(context: ProfilesContext, manifest: Manifest): void {
  const { keeper, gateway } = observeManifest(context, manifest).observed;
  if (keeper !== null || gateway !== null) throw running(manifest.name, (gateway ?? keeper)?.pid);
}
