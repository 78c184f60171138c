/** The places where gateways leave traces on a host. A value, so that a test can use its own tree. */
import path from "node:path";
import { ownHome } from "../own-home.ts";
import { readUnits } from "./service-units.ts";
import type { UnitPlaces } from "./service-units.ts";

/** The places that are searched. Absolute paths; a missing one counts as empty. */
export interface HostRoots extends UnitPlaces {
  /** The home of our own user. */
  readonly userHome: string;
  /** Where the macOS app may be installed. */
  readonly applications: readonly string[];
}

/** Returns the usual places for the user of `env`, with the units that are in them now, for a look that asks several times. */
export function lookAtHostRoots(env: NodeJS.ProcessEnv): HostRoots {
  const roots = hostRoots(env);
  return { ...roots, units: readUnits(roots.unitDirectories) };
}

/** Returns the usual places for the user of `env`. */
export function hostRoots(env: NodeJS.ProcessEnv): HostRoots {
  const userHome = env["HOME"] || ownHome();
  if (process.platform === "darwin") {
    return {
      userHome,
      unitDirectories: [
        { manager: "launchd", path: path.join(userHome, "Library", "LaunchAgents") },
        { manager: "launchd", path: "/Library/LaunchAgents" },
        { manager: "launchd", path: "/Library/LaunchDaemons" },
      ],
      applications: ["/Applications", path.join(userHome, "Applications")],
    };
  }
  return {
    userHome,
    unitDirectories: [
      {
        manager: "systemd-user",
        path: path.join(env["XDG_CONFIG_HOME"] || path.join(userHome, ".config"), "systemd", "user"),
      },
      { manager: "systemd-user", path: "/etc/systemd/user" },
      { manager: "systemd", path: "/etc/systemd/system" },
    ],
    applications: [],
  };
}
