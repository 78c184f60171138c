/**
 * Which profile a command without a name acts on, for people only: services and keepers name theirs and never ask
 * here. Changing the default touches no gateway.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { changeSettings, readSettings } from "../settings/settings.ts";

type Asker = Pick<ProfilesContext, "home" | "env" | "owner">;

/** Where a selection comes from, strongest first. */
export type SelectionSource = "argument" | "environment" | "default";

/** Which profile is meant, and why. */
export interface Selection {
  /** Null when nothing selects a profile. Whether it exists is for the command to find out. */
  readonly name: string | null;
  readonly source: SelectionSource | "none";
  /** Everything that was looked at, strongest first; the first with a name won. */
  readonly candidates: readonly { readonly source: SelectionSource; readonly name: string | null }[];
}

/** What `use` changed. */
export interface SelectionChange {
  readonly previous: string | null;
  readonly current: string;
  /** Whether the new default is a protected profile, which is to be said loudly. */
  readonly protected: boolean;
}

/**
 * Returns what is selected: the argument, else LOCKKEEPER_PROFILE, else the default set by `use`.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED
 */
export function readSelection(
  { home, env, owner }: Asker,
  options: { readonly profile?: string | undefined } = {},
): Selection {
  const candidates = [
    { source: "argument", name: options.profile ?? null },
    // An empty variable is how a shell unsets it for one command.
    { source: "environment", name: env["LOCKKEEPER_PROFILE"] || null },
    { source: "default", name: readSettings(home, owner).defaultProfile },
  ] as const;
  const winner = candidates.find(({ name }) => name !== null);
  return { name: winner?.name ?? null, source: winner?.source ?? "none", candidates };
}

/** Returns the name that is selected, null also when the settings cannot be read: to mark it, not to act on it. */
export function readableSelection(asker: Asker): string | null {
  try {
    return readSelection(asker).name;
  } catch (error) {
    if (error instanceof LockkeeperError) return null;
    throw error;
  }
}

/**
 * Makes `name` the default, or with `-` the default before this one.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID; OPTION_INVALID when there is nothing to go back to.
 */
export async function useProfile({ home }: Asker, name: string): Promise<SelectionChange> {
  const { defaultProfile, previousProfile } = readSettings(home);
  const wanted = name === "-" ? previousProfile : name;
  if (wanted === null) {
    throw new LockkeeperError("OPTION_INVALID", "there is no previous profile to go back to", {
      hint: "lockkeeper use NAME",
    });
  }
  const { requireManifest } = await import("../registry/registry.ts");
  const manifest = requireManifest(home, wanted);
  if (wanted !== defaultProfile) {
    await changeSettings(home, (before) => ({ defaultProfile: wanted, previousProfile: before.defaultProfile }));
  }
  return { previous: defaultProfile, current: wanted, protected: manifest.protected };
}
