/**
 * Updates everything that follows the new name of a profile, or its removal: the default of `use`, and paths into its folder
 * in its own config. Runs under the registry's mutex once the rename counts, and again in the next change if it was
 * interrupted; a second run changes nothing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { readIfPresentSync, replaceFile } from "@lockkeeper/core/internal";
import { sep } from "node:path";
import type { ProfileName } from "../profile-name.ts";
import { homePaths, profilePaths } from "../profile-paths.ts";
import { readSettings, settingsTable } from "../settings/settings.ts";
import { writeSettingsFile } from "../settings/settings-file.ts";

/** On return none of our files says `from` when it means the profile that is now called `to`. */
export async function followRename(home: string, from: string, to: string): Promise<void> {
  await followSelection(home, from, to);
  const { config } = profilePaths(home, to as ProfileName);
  const text = readIfPresentSync(config);
  if (text === undefined) return;
  const followed = moveFolderInText(
    text,
    profilePaths(home, from as ProfileName).profile,
    profilePaths(home, to as ProfileName).profile,
  );
  if (followed !== text) await replaceFile(config, followed);
}

/** Returns `text` with every path into the folder `from` leading into `to`; comments and layout stay. Pure. */
export function moveFolderInText(text: string, from: string, to: string): string {
  const [old, now] = [inJson(from), inJson(to)];
  const separator = inJson(sep);
  return text.replaceAll(`${old}${separator}`, `${now}${separator}`).replaceAll(`${old}"`, `${now}"`);
}

/** On return `name` is neither the default nor the previous default, because the profile no longer exists. */
export function forgetSelection(home: string, name: string): Promise<void> {
  return followSelection(home, name, null);
}

async function followSelection(home: string, from: string, to: string | null): Promise<void> {
  try {
    const { defaultProfile, previousProfile } = readSettings(home);
    if (defaultProfile !== from && previousProfile !== from) return;
    await writeSettingsFile(homePaths(home).settings, settingsTable, {
      ...(defaultProfile === from ? { defaultProfile: to } : {}),
      ...(previousProfile === from ? { previousProfile: to } : {}),
    });
  } catch (error) {
    // Damaged settings select nothing, and readers report them; the rename is complete without them.
    if (!(error instanceof LockkeeperError) || error.code !== "CONFIG_DAMAGED") throw error;
  }
}

function inJson(folder: string): string {
  return JSON.stringify(folder).slice(1, -1);
}
