/**
 * Finds the profile for a command without a name. For people only: services and keepers always name theirs. Changing the
 * default touches no gateway.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { changeSettings, readSettings } from "../settings/settings.ts";

type Asker = Pick<ProfilesContext, "home" | "env" | "owner">;

/** The source of a selection, strongest first. */
export type SelectionSource = "argument" | "environment" | "default";

/** The selected profile, and why. */
export interface Selection {
  /** Null when nothing selects a profile. The command checks whether it exists. */
  readonly name: string | null;
  readonly source: SelectionSource | "none";
  /** All sources, strongest first; the first with a name won. */
  readonly candidates: readonly { readonly source: SelectionSource; readonly name: string | null }[];
}

/** The result of `use`. */
export interface SelectionChange {
  readonly previous: string | null;
  readonly current: string;
  /** Whether the new default is protected, which must be said loudly. */
  readonly protected: boolean;
}

/**
 * Returns the selection: the argument, else LOCKKEEPER_PROFILE, else the default set by `use`.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED when only the default could select one.
 */
export function readSelection(
  { home, env, owner }: Asker,
  options: { readonly profile?: string | undefined } = {},
): Selection {
  const argument = options.profile ?? null;
  // An empty variable is how a shell unsets it for one command.
  const environment = env["LOCKKEEPER_PROFILE"] || null;
  const candidates = [
    { source: "argument", name: argument },
    { source: "environment", name: environment },
    { source: "default", name: readDefault({ home, owner }, argument ?? environment) },
  ] as const;
  const winner = candidates.find(({ name }) => name !== null);
  return { name: winner?.name ?? null, source: winner?.source ?? "none", candidates };
}

/** Returns the default; null also when the settings are damaged and `stronger` selects a profile anyway. */
function readDefault({ home, owner }: Omit<Asker, "env">, stronger: string | null): string | null {
  try {
    return readSettings(home, owner).defaultProfile;
  } catch (error) {
    if (stronger === null || !(error instanceof LockkeeperError)) throw error;
    return null;
  }
}

/** Returns the selected name, or null, also when the settings cannot be read. For display only. */
export function readableSelection(asker: Asker): string | null {
  try {
    return readSelection(asker).name;
  } catch (error) {
    if (error instanceof LockkeeperError) return null;
    throw error;
  }
}

/**
 * Makes `name` the default, or with `-` the previous default.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID; OPTION_INVALID when there is nothing to go back to.
 */
export async function useProfile({ home }: Asker, name: string): Promise<SelectionChange> {
  const { defaultProfile, previousProfile } = readSettings(home);
  const wanted = name === "-" ? previousProfile : name;
  if (wanted === null) {
    throw new LockkeeperError("OPTION_INVALID", "there is no previous profile to go back to", {
      hint: "Choose one by its name: lockkeeper list",
    });
  }
  const { requireManifest } = await import("../registry/registry.ts");
  const manifest = requireManifest(home, wanted);
  if (wanted !== defaultProfile) {
    await changeSettings(home, (before) => ({ defaultProfile: wanted, previousProfile: before.defaultProfile }));
  }
  return { previous: defaultProfile, current: wanted, protected: manifest.protected };
}
