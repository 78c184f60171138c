/** Asks and commands the unit's own systemd, and gives the command with which a person does the same with either manager. */
import { LockkeeperError } from "@lockkeeper/core";
import type { ServiceUnit } from "./service-units.ts";
import { systemctl } from "./systemd.ts";

/** The state of a unit in systemd now. A host without systemd has no running unit. */
export interface UnitState {
  readonly mainPid: number | null;
  readonly enabled: "yes" | "no";
}

/** Returns the unit's state in systemd. launchd is never asked about an agent. */
export async function readUnitState(env: NodeJS.ProcessEnv, unit: ServiceUnit): Promise<UnitState> {
  if (unit.manager === "launchd") return { mainPid: null, enabled: "no" };
  const mainPid = Number((await call(env, unit, ["show", "--property=MainPID", "--value", unit.name])).stdout.trim());
  const enabled = (await call(env, unit, ["is-enabled", unit.name])).stdout.trim();
  return { mainPid: mainPid > 0 ? mainPid : null, enabled: enabled === "enabled" ? "yes" : "no" };
}

/** Tells systemd to stop the unit and does not wait. @throws {LockkeeperError} STOP_INCOMPLETE when systemctl fails. */
export async function stopUnit(env: NodeJS.ProcessEnv, unit: ServiceUnit): Promise<void> {
  await run(env, unit, ["stop", "--no-block", unit.name]);
}

/** Tells systemd to start the unit. @throws {LockkeeperError} STOP_INCOMPLETE when systemctl fails. */
export async function startUnit(env: NodeJS.ProcessEnv, unit: ServiceUnit): Promise<void> {
  await run(env, unit, ["start", unit.name]);
}

/** Keeps the unit from starting by itself. @throws {LockkeeperError} STOP_INCOMPLETE when systemctl fails. */
export async function disableUnit(env: NodeJS.ProcessEnv, unit: ServiceUnit): Promise<void> {
  await run(env, unit, ["disable", unit.name]);
}

/** Returns the command with which a person stops the unit. */
export function stopCommand(unit: ServiceUnit): string {
  return unit.manager === "launchd"
    ? `launchctl bootout gui/$(id -u)/${unit.name}`
    : systemctlArgv(unit, ["stop", unit.name]).join(" ");
}

/** Returns the command with which a person stops the unit and keeps it from coming back. */
export function disableCommand(unit: ServiceUnit): string {
  return unit.manager === "launchd"
    ? `launchctl unload -w ${unit.path}`
    : systemctlArgv(unit, ["disable", "--now", unit.name]).join(" ");
}

/** Returns the command with which a person inspects the unit. */
export function editCommand(unit: ServiceUnit): string {
  return unit.manager === "launchd"
    ? `plutil -p ${unit.path}`
    : systemctlArgv(unit, ["edit", "--full", unit.name]).join(" ");
}

function systemctlArgv({ manager }: ServiceUnit, args: readonly string[]): readonly [string, ...string[]] {
  return ["systemctl", ...(manager === "systemd-user" ? ["--user"] : []), ...args];
}

async function run(env: NodeJS.ProcessEnv, unit: ServiceUnit, args: readonly string[]): Promise<void> {
  const { fault, stderr } = await call(env, unit, args);
  if (fault === undefined) return;
  const command = systemctlArgv(unit, args).join(" ");
  throw new LockkeeperError("STOP_INCOMPLETE", `${command} failed: ${stderr.trim() || fault}`, {
    hint: `Try it by hand: ${command}`,
  });
}

async function call(
  env: NodeJS.ProcessEnv,
  { manager }: ServiceUnit,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string; readonly fault: string | undefined }> {
  if (manager === "launchd") return { stdout: "", stderr: "", fault: "launchd has no systemctl" };
  try {
    const { status, stdout, stderr } = await systemctl(manager, args, env);
    return { stdout, stderr, fault: status === 0 ? undefined : `exit status ${status}` };
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    return { stdout: "", stderr: "", fault: error.message };
  }
}
