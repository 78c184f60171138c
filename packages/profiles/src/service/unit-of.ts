/** The unit that a profile has or would get, and its content. */
import { LockkeeperError } from "@lockkeeper/core";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import type { InstalledService, Manifest } from "../manifest.ts";
import { formatLaunchdPlist } from "../service-units/launchd-plist.ts";
import { findNotifyHelper } from "../service-units/service-notifier.ts";
import { formatSystemdUnit } from "../service-units/systemd-unit.ts";
import { unitDirectory, unitName } from "../service-units/unit-name.ts";
import { userName } from "../service-units/user-name.ts";
import type { UnitPlan } from "../service-units/unit-plan.ts";

/** The options of a unit. */
export interface UnitOptions {
  /** @default launchd on macOS, else systemd */
  readonly manager?: "systemd" | "launchd" | undefined;
  /** A unit of the whole system instead of the user's own manager. @default false */
  readonly system?: boolean | undefined;
  /** Sandboxing that most gateways tolerate. @default false */
  readonly harden?: boolean | undefined;
  /** Restart the gateway when its health was not confirmed for this long. @default never */
  readonly watchdogMs?: number | undefined;
  /** Whether it starts with the host. @default "auto" */
  readonly boot?: "auto" | "manual" | undefined;
}

/** A unit as it should be. */
export interface ProfileUnit {
  readonly service: InstalledService;
  readonly path: string;
  readonly text: string;
}

/** Time that the keeper needs beyond the gateway's own: to kill, verify, publish and release the lock. */
const KEEPER_GRACE_MS = 15_000;

/** Returns how long the manager waits for a stop before it kills, in milliseconds. */
export function unitStopTimeoutMs(manifest: Manifest): number {
  return (manifest.stopTimeoutMs ?? kinds[manifest.kind].stopTimeoutMs) + KEEPER_GRACE_MS;
}

/** Returns the unit that `options` ask for; an installed profile keeps the options that are not given. */
export function unitOf(context: ProfilesContext, manifest: Manifest, options: UnitOptions = {}): ProfileUnit {
  const manager = managerOf(manifest, options);
  const unit = unitName(manager, context.home, manifest.name);
  const harden = options.harden ?? manifest.service?.harden ?? false;
  const watchdogMs = options.watchdogMs ?? manifest.service?.watchdogMs;
  const service: InstalledService = {
    manager,
    unit,
    boot: options.boot ?? manifest.service?.boot ?? "auto",
    ...(harden ? { harden } : {}),
    ...(watchdogMs === undefined ? {} : { watchdogMs }),
  };
  const plan: UnitPlan = {
    profile: manifest.name,
    home: context.home,
    launcher: requireLauncher(context),
    stopTimeoutMs: unitStopTimeoutMs(manifest),
    notifies: findNotifyHelper() !== undefined,
    mayStandBy: manifest.lease?.standby === true,
    watchdogMs,
    harden,
    memoryMaxBytes: manifest.memoryMaxBytes,
    ...(manager === "systemd" ? { user: userName() } : {}),
  };
  const directory = unitDirectory(manager, context.env);
  return manager === "launchd"
    ? { service, path: path.join(directory, `${unit}.plist`), text: formatLaunchdPlist(plan, unit) }
    : { service, path: path.join(directory, unit), text: formatSystemdUnit(plan, unit) };
}

/** Returns where the unit of an installed profile lies. */
export function unitPath({ manager, unit }: InstalledService, env: NodeJS.ProcessEnv): string {
  return path.join(unitDirectory(manager, env), manager === "launchd" ? `${unit}.plist` : unit);
}

function managerOf(manifest: Manifest, { manager, system }: UnitOptions): InstalledService["manager"] {
  if (manager === undefined && system === undefined && manifest.service !== undefined) return manifest.service.manager;
  const usual = process.platform === "darwin" ? "launchd" : "systemd";
  if ((manager ?? usual) === "launchd") return "launchd";
  return system === true ? "systemd" : "systemd-user";
}

function requireLauncher({ programs }: ProfilesContext): readonly [string, ...string[]] {
  if (programs.launcher !== undefined) return programs.launcher;
  throw new LockkeeperError("OPTION_INVALID", "no launcher is known that a service manager could start", {
    hint: "Pass programs.launcher to openProfiles, or use the command line: lockkeeper service install",
  });
}
