/**
 * Finds the OpenClaw gateways of this host, one for each state directory: its own profiles on disk (`~/.openclaw`,
 * `~/.openclaw-<name>`), the units that start them, their lock records, the macOS app. Only reads, and says where each fact
 * comes from. All callers share it, so that all see the same host.
 *
 * A unit of another user, or with another HOME or OPENCLAW_HOME, starts a gateway that is not ours, whatever its name is.
 */
import { readProcessLaunch } from "@lockkeeper/core/internal";
import type { ProcessLaunch } from "@lockkeeper/core/internal";
import type { ProcessIdentity } from "@lockkeeper/core";
import { existsSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { Installation, InstallationSource, NamedInstallation, ProgramRecord } from "../foreign-program.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import { readGatewayUnits } from "../service-units/service-units.ts";
import type { ServiceUnit } from "../service-units/service-units.ts";
import { expandHome, unitEnvironment, unitHome } from "../service-units/unit-environment.ts";
import { claimedRanges } from "./claims.ts";
import { readConfigFile } from "./config-file.ts";
import type { OpenClawConfig } from "./config-file.ts";
import { profileOfFolder, readOpenClawFolders, usualStateDir } from "./folders.ts";
import { defaultPort, flagValue, gatewayPort } from "./gateway-port.ts";
import { readLockRecords } from "./lock-records.ts";

/** A state directory and everything that points at it. */
interface Place {
  readonly name: string;
  readonly userHome: string;
  readonly onDisk: boolean;
  readonly units: ServiceUnit[];
}

/** Returns every installation, by name. `named`: more places to search. */
export async function findInstallations(
  roots: HostRoots,
  named: readonly NamedInstallation[] = [],
): Promise<readonly Installation[]> {
  const places = new Map<string, Place>();
  for (const { name, stateDir } of readOpenClawFolders(roots.userHome)) {
    places.set(stateDir, { name, userHome: roots.userHome, units: [], onDisk: true });
  }
  for (const unit of readGatewayUnits(roots, startsOpenClaw)) {
    const { name, stateDir, userHome } = placeOf(unit, roots.userHome);
    const place = places.get(stateDir) ?? { name, userHome, units: [], onDisk: existsSync(stateDir) };
    place.units.push(unit);
    places.set(stateDir, place);
  }
  for (const { name, stateDir } of named) {
    if (places.has(stateDir)) continue;
    places.set(stateDir, { name, userHome: homeAround(stateDir) ?? roots.userHome, units: [], onDisk: true });
  }
  const app = findApp(roots);
  const found: Installation[] = [];
  for (const [stateDir, place] of places) found.push(await describe(stateDir, place, roots, app));
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.stateDir < b.stateDir ? -1 : 1));
}

/**
 * Returns the state directory that the variables of a process name, or else those under the home that they name: `--profile`
 * is not visible in a process that shows its title in place of its arguments.
 */
export function placesOf({ env }: ProcessLaunch): readonly NamedInstallation[] {
  const home = absolute(env["OPENCLAW_HOME"], "") ?? absolute(env["HOME"], "");
  const stateDir = absolute(env["OPENCLAW_STATE_DIR"], home ?? "");
  // An empty variable is an unset one.
  if (stateDir !== undefined) return [{ name: env["OPENCLAW_PROFILE"] || "default", stateDir }];
  return home === undefined ? [] : readOpenClawFolders(home);
}

async function describe(
  stateDir: string,
  { name, units, onDisk, ...place }: Place,
  roots: HostRoots,
  app: string | null,
): Promise<Installation> {
  const records = readLockRecords(stateDir);
  const userHome = livingHome(records) ?? place.userHome;
  const mine = userHome === roots.userHome || path.dirname(stateDir) === roots.userHome ? "yes" : "no";
  const configPath = configPathOf(stateDir, units, roots.userHome);
  const config = await readConfigFile(configPath);
  const itsApp = name === "default" && mine === "yes" ? app : null;
  const sources: InstallationSource[] = [];
  if (onDisk) sources.push("disk");
  if (units.length > 0) sources.push("unit");
  if (records.some(({ owner }) => owner !== null)) sources.push("lock");
  if (itsApp !== null) sources.push("app");
  const { port, portSource } = gatewayPort({ profile: name, stateDir, userHome, config, units, records });
  return {
    name,
    mine,
    sources,
    stateDir,
    realStateDir: realPathIfThere(stateDir),
    configPath,
    config: config.verdict,
    configFault: config.fault,
    host: hostOf(
      config,
      units.map(({ argv }) => argv),
    ),
    port,
    portSource,
    ranges: rangesOf(name, config, port),
    units,
    records,
    app: itsApp,
    userHome,
    notes: notesOf(config, records, port),
  };
}

/** A config that cannot be trusted claims its profile's default ports: a gap is better than a collision. */
function rangesOf(name: string, config: OpenClawConfig, port: number | null): Installation["ranges"] {
  if (port !== null) return claimedRanges(config.document, port);
  return config.verdict === "absent" ? [] : claimedRanges(config.document, defaultPort(name));
}

function notesOf(config: OpenClawConfig, records: readonly ProgramRecord[], port: number | null): readonly string[] {
  const gone = records.filter(({ owner }) => owner === null);
  return [
    ...(config.fault === null ? [] : [`its config cannot be relied on: ${config.fault}`]),
    ...gone.map(({ path: file, pid }) => `${file} names pid ${pid}, which is gone or another process by now`),
    ...(port === null || config.port === null || config.port === port
      ? []
      : [`its port is ${port}, while its config says ${config.port}`]),
  ];
}

/** Returns the address that a gateway binds, as far as its arguments and its config say; OpenClaw's default is loopback. */
export function hostOf(config: OpenClawConfig, commands: readonly (readonly string[])[]): string {
  const bind = commands.map((argv) => flagValue(argv, "--bind")).find((word) => word !== undefined) ?? config.bind;
  if (bind === "lan" || bind === "0.0.0.0") return "0.0.0.0";
  return bind === "custom" && config.bindHost !== null ? config.bindHost : "127.0.0.1";
}

function startsOpenClaw(argv: readonly string[]): boolean {
  const line = argv.join(" ");
  return line.includes("gateway") && /openclaw/i.test(line) && /\bgateway\b/.test(line);
}

function placeOf(unit: ServiceUnit, ourHome: string): { name: string; stateDir: string; userHome: string } {
  const environment = unitEnvironment(unit, ourHome);
  const account = unitHome(unit, ourHome);
  const userHome = absolute(environment["OPENCLAW_HOME"], account) ?? absolute(environment["HOME"], account) ?? account;
  const name = profileOf(unit, environment);
  return {
    name,
    userHome,
    stateDir: absolute(environment["OPENCLAW_STATE_DIR"], userHome) ?? usualStateDir(userHome, name),
  };
}

function profileOf({ name, argv }: ServiceUnit, environment: Readonly<Record<string, string>>): string {
  const named = flagValue(argv, "--profile") ?? environment["OPENCLAW_PROFILE"];
  if (named !== undefined && named !== "") return named;
  const fromName =
    /^openclaw-gateway-(.+)\.service$/.exec(name)?.[1] ?? /^ai\.openclaw\.(?!gateway$|mac$)(.+)$/.exec(name)?.[1];
  return fromName ?? "default";
}

/** The environment of the living process says what `~` means to it. Linux only. */
function livingHome(records: readonly ProgramRecord[]): string | undefined {
  const owner: ProcessIdentity | null | undefined = records.find((record) => record.owner !== null)?.owner;
  const env = owner === undefined || owner === null ? undefined : readProcessLaunch(owner)?.env;
  return absolute(env?.["OPENCLAW_HOME"], "") ?? absolute(env?.["HOME"], "");
}

/** The usual place of a state directory shows which profile it belongs to. */
function homeAround(stateDir: string): string | undefined {
  return profileOfFolder(path.basename(stateDir)) === undefined ? undefined : path.dirname(stateDir);
}

function configPathOf(stateDir: string, units: readonly ServiceUnit[], ourHome: string): string {
  for (const unit of units) {
    const { userHome } = placeOf(unit, ourHome);
    const configured = absolute(unitEnvironment(unit, ourHome)["OPENCLAW_CONFIG_PATH"], userHome);
    if (configured !== undefined) return configured;
  }
  return path.join(stateDir, "openclaw.json");
}

/** A path that is still relative after `~` and `%h` are replaced is not followed. */
function absolute(value: string | undefined, home: string): string | undefined {
  const expanded = value === undefined || value === "" ? undefined : expandHome(value, home);
  return expanded !== undefined && path.isAbsolute(expanded) ? path.normalize(expanded) : undefined;
}

/** Untested on macOS. */
function findApp({ applications }: HostRoots): string | null {
  return applications.map((folder) => path.join(folder, "OpenClaw.app")).find((app) => isDirectory(app)) ?? null;
}

function realPathIfThere(directory: string): string | null {
  try {
    return realpathSync(directory);
  } catch {
    return null;
  }
}

function isDirectory(directory: string): boolean {
  try {
    return statSync(directory, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}
