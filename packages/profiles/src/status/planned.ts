/** Every profile as it is planned: one read of the registry and no look at the host, for the first picture of a live view. */
import { doubtAbout } from "@lockkeeper/core/internal";
import { locateHome, requireSafeHome } from "../home.ts";
import { homePaths } from "../profile-paths.ts";
import { readRegistry } from "../registry/registry.ts";
import { readableSelection } from "../selection/selection.ts";
import type { ProfileStatus } from "./profile-status.ts";

/** What is true of a profile whatever it does at the moment. A run may be on another port. */
export type PlannedProfile = Pick<ProfileStatus, "name" | "current" | "port" | "span" | "protected">;

/** The profiles of one home. */
export interface PlannedHome {
  readonly home: string;
  /** In the order of `list`. */
  readonly profiles: readonly PlannedProfile[];
}

/**
 * Returns the profiles of the home that `env` names. Undefined when anything about that home is in doubt or cannot be read:
 * every other verb says what it is.
 */
export function readPlanned(env: NodeJS.ProcessEnv): PlannedHome | undefined {
  try {
    const home = locateHome(env);
    requireSafeHome(home);
    if (doubtAbout(homePaths(home).registry) !== undefined) return undefined;
    const selected = readableSelection({ home, env });
    const profiles = Array.from(readRegistry(home).values(), ({ name, port, span, protected: isProtected }) => {
      return { name, current: name === selected, port, span, protected: isProtected };
    });
    return { home, profiles };
  } catch {
    return undefined;
  }
}
