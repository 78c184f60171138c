/** Removes and renames a profile under a service manager: the unit goes first, so that it never starts a missing profile. */
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
 * @throws {LockkeeperError} PROFILE_RUNNING, and the errors of a rename, an install and an uninstall; the unit is put back
 * when the rename fails.
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
    // The first error is the one to report, but a profile that lost its unit would be a surprise.
    await installService(context, manifest.name, options).catch(() => undefined);
    throw error;
  }
}

/** On return the unit is gone and the profile is in the trash. Throws as {@link renameInstalled}. */
export async function removeInstalled(
  context: ProfilesContext,
  manifest: Manifest,
): Promise<{ readonly trash: string }> {
  refuseRunning(context, manifest);
  await uninstallService(context, manifest.name);
  return removeProfile(context, manifest.name);
}

/** Removing a unit stops its gateway, which a command that needs a stopped profile must not do. */
function refuseRunning(context: ProfilesContext, manifest: Manifest): void {
  const { keeper, gateway } = observeManifest(context, manifest).observed;
  if (keeper !== null || gateway !== null) throw running(manifest.name, (gateway ?? keeper)?.pid);
}
