/** The name and the place of a profile's unit. Pure. */
import { createHash } from "node:crypto";
import path from "node:path";
import { ownHome } from "../own-home.ts";
import type { ServiceManager } from "./service-units.ts";

/** Returns the unit's name: `lockkeeper-prod.service`; a home other than the usual one adds eight letters. */
export function unitName(manager: ServiceManager, home: string, profile: string): string {
  const usual = path.join(ownHome(), ".lockkeeper");
  const place = home === usual ? "" : `${createHash("sha256").update(home).digest("hex").slice(0, 8)}-`;
  return manager === "launchd" ? `dev.lockkeeper.${place}${profile}` : `lockkeeper-${place}${profile}.service`;
}

/** Returns the folder for our units. Source: systemd.unit(5), launchd.plist(5). */
export function unitDirectory(manager: ServiceManager, env: NodeJS.ProcessEnv): string {
  const userHome = env["HOME"] || ownHome();
  switch (manager) {
    case "systemd":
      return "/etc/systemd/system";
    case "systemd-user":
      return path.join(env["XDG_CONFIG_HOME"] || path.join(userHome, ".config"), "systemd", "user");
    case "launchd":
      return path.join(userHome, "Library", "LaunchAgents");
  }
}
