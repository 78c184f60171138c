/**
 * Checks everything that the next start of a profile needs, without starting anything: before a running gateway is replaced,
 * in `doctor` for every profile, and in `create` and `edit` as a warning. Changes nothing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import {
  PathLook,
  belongsToAnother,
  doubtAbout,
  ensurePrivateDirectory,
  fileError,
  hostWithPort,
  lstatIfPresent,
  requireOpenFiles,
  requireRoom,
  requireWritable,
  refuseUnlessPlain,
  refuseUnsafeLockFiles,
  shellCommand,
  unsafePath,
} from "@lockkeeper/core/internal";
import type { ErrorCode } from "@lockkeeper/core";
import type { PortProbe } from "@lockkeeper/core/internal";
import { lstatSync, statSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { directoriesOf, refuseShared } from "../directories/directory-rules.ts";
import { gatewayEnvironment } from "../environment/gateway-environment.ts";
import type { Manifest } from "../manifest.ts";
import { kinds } from "../kinds/kinds.ts";
import { gatewayLogPath, homePaths, lockPlace } from "../profile-paths.ts";
import { readRegistry } from "../registry/registry.ts";
import type { Registry } from "../registry/registry.ts";
import { HostFacts } from "./host-facts.ts";
import { launchPlan } from "./launch-plan.ts";
import { readStrongToken, refuseOpenToken } from "./require-token.ts";
import { planRunPorts } from "./run-ports.ts";

/** One missing need of the next start. `warning`: it will start, but perhaps not as intended. */
export interface PreflightFault {
  readonly weight: "error" | "warning";
  /** The subject, for scripts. */
  readonly about:
    | "program"
    | "cwd"
    | "env-file"
    | "config"
    | "folders"
    | "disk"
    | "lock"
    | "token"
    | "log"
    | "block"
    | "variables"
    | "hooks"
    | "lease"
    | "limits";
  readonly code: ErrorCode;
  readonly message: string;
  readonly evidence: readonly string[];
  readonly hint: string | null;
}

/** Options of a start that differ from the profile. */
export interface PreflightOptions {
  /** Base port for this run only. */
  readonly port?: number | undefined;
  /** Checks to skip, because the caller has done them. @default none */
  readonly skip?: readonly PreflightFault["about"][] | undefined;
  /** Facts about the host, for a check of many profiles. @default asked again */
  readonly facts?: HostFacts | undefined;
}

type About = PreflightFault["about"];

/** Makes one check, unless it is to be skipped, and notes its error. */
type Check = (about: About, look: () => void) => void;

/** Returns the missing needs of the profile's next start, errors first. Never throws because of a finding. */
export async function preflight(
  context: ProfilesContext,
  manifest: Manifest,
  options: PreflightOptions = {},
): Promise<readonly PreflightFault[]> {
  const { facts = new HostFacts(), skip = [], port } = options;
  const faults: PreflightFault[] = [];
  const note = (about: About, error: unknown): void => {
    if (!(error instanceof LockkeeperError)) throw error;
    const { code, message, evidence, hint = null } = error;
    faults.push({ weight: "error", about, code, message, evidence, hint });
  };
  const check: Check = (about, look) => {
    if (skip.includes(about)) return;
    try {
      look();
    } catch (error) {
      note(about, error);
    }
  };
  // A service manager has limits of its own.
  if (manifest.service === undefined) check("limits", requireOpenFiles);
  checkPlaces(check, context, manifest, facts);
  let env: Readonly<Record<string, string>> | undefined;
  try {
    if (!skip.includes("env-file")) {
      env = hasOwnVariables(manifest)
        ? await gatewayEnvironment(context, manifest, port ?? manifest.port, facts.inherited(context.env))
        : facts.shared(context.env);
    }
  } catch (error) {
    note("env-file", error);
  }
  check("program", () => requireProgram(context, manifest, env, options.port, facts));
  // Most profiles have nothing to wait for, and among a thousand profiles each wait counts.
  const found = env === undefined ? [] : configFaults(manifest, env, facts);
  const config = found instanceof Promise ? await found : found;
  if (!skip.includes("config")) faults.push(...config.filter(({ weight }) => weight === "error"));
  const asked = skip.includes("block") ? undefined : facts.bind(manifest.host);
  const address = asked instanceof Promise ? await asked : asked;
  check("block", () => {
    if (port !== undefined) planRunPorts(readRegistry(context.home), manifest, port);
    requireAddress(manifest, address);
  });
  if (manifest.lease !== undefined && context.owner !== "any" && !skip.includes("lease")) {
    try {
      await (await import("../status/lease-status.ts")).requireLease(manifest);
    } catch (error) {
      note("lease", error);
    }
  }
  if (env === undefined) return faults;
  faults.push(...config.filter(({ weight }) => weight === "warning"), ...doubts(context, manifest, env, facts));
  if (manifest.hooks !== undefined) faults.push(...(await hookFaults(context, manifest)));
  return faults;
}

/** Checks the files and folders that a start needs. */
function checkPlaces(check: Check, context: ProfilesContext, manifest: Manifest, facts: HostFacts): void {
  check("folders", () => refuseForeignFolders(context, manifest));
  check("folders", () => refuseSharedDirectories(context.home, readRegistry(context.home), manifest));
  // On a full disk a start can do without a record and a log, but not without a lock.
  check("disk", () => [homePaths(context.home).run, manifest.paths.logs].forEach(requireWritable));
  check("disk", () => requireRoom(manifest.paths.lock));
  check("lock", () => refuseSpoiledLock(manifest, facts));
  if (manifest.kind === "builtin") {
    const { token } = manifest.paths;
    check("token", () => void readStrongToken(token, (file) => facts.look.read(file)));
    check("folders", () => refuseOpenToken(token));
  }
  check("log", () => refuseSpoiledLog(manifest, facts));
  check("cwd", () => requireDirectory(manifest, facts));
}

/** Without `env`, its variables, the program is searched on the PATH of this command. */
function requireProgram(
  context: ProfilesContext,
  manifest: Manifest,
  env: Readonly<Record<string, string>> | undefined,
  port: number | undefined,
  facts: HostFacts,
): void {
  const { argv, cwd } = launchPlan(manifest, context.programs.gateway, port);
  // A missing directory is reported by itself; a relative program cannot be found from there.
  if (facts.look.exists(cwd)) facts.requireProgram(argv[0], { cwd, searchPath: env?.["PATH"] ?? context.env["PATH"] });
}

/**
 * Returns when the next start has everything that it needs.
 *
 * @param outcome the state of the present gateway, for the message: `it still runs`.
 * @throws {LockkeeperError} the first error that {@link preflight} finds, the others as evidence.
 */
export async function requirePreflight(
  context: ProfilesContext,
  manifest: Manifest,
  outcome: string,
  options: PreflightOptions = {},
): Promise<void> {
  const [first, ...others] = (await preflight(context, manifest, options)).filter(({ weight }) => weight === "error");
  if (first === undefined) return;
  const { code, message, evidence, hint } = first;
  throw new LockkeeperError(code, `${manifest.name} could not start again, so ${outcome}: ${message}`, {
    evidence: [...evidence, ...others.map((other) => other.message)],
    ...(hint === null ? {} : { hint }),
  });
}

/** Returns when no other profile of the home shares a directory with this one: a link may have appeared since `create`. */
export function refuseSharedDirectories(home: string, registry: Registry, manifest: Manifest): void {
  const others = [...registry.values()].filter(({ name }) => name !== manifest.name);
  const look = new PathLook();
  refuseShared(
    directoriesOf(manifest, home, look),
    others.flatMap((other) => directoriesOf(other, home, look)),
  );
}

/** Our folders must belong to this user: root would leave files that the owner cannot change. */
function refuseForeignFolders({ home }: ProfilesContext, { name, paths }: Manifest): void {
  for (const folder of [home, paths.profile, paths.lock, paths.logs]) {
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    const self = process.geteuid?.();
    if (self !== undefined && stats.uid !== self) {
      const asOwner = ["sudo", "-u", `#${stats.uid}`, "env", `LOCKKEEPER_HOME=${home}`, "lockkeeper", "start", name];
      throw unsafePath(folder, belongsToAnother(stats), `Run it as that user: ${shellCommand(...asOwner)}`);
    }
    ensurePrivateDirectory(folder);
  }
}

/** Otherwise only its name, ports and paths set it apart from other gateways, and nothing here asks for those. */
function hasOwnVariables({ kind, passEnv, env, envFile }: Manifest): boolean {
  return kind !== "builtin" || passEnv !== undefined || env !== undefined || envFile !== undefined;
}

/** What was put in the place of the lock file is left alone, and nothing is started beside it. */
function refuseSpoiledLock({ paths }: Manifest, facts: HostFacts): void {
  // Mostly there is nothing in its place, and then its name, which takes a hash, says no more.
  if (facts.lockFiles(paths.lock) === "none") return;
  refuseUnsafeLockFiles(lockPlace(paths));
}

function refuseSpoiledLog({ paths }: Manifest, { look }: HostFacts): void {
  const file = gatewayLogPath(paths);
  if (look.kindOf(file) !== "absent") refuseSpoiled(file);
}

/** What is in the place of a file of ours must be a plain one that only we can write. */
function refuseSpoiled(file: string): void {
  const stats = lstatIfPresent(file);
  if (stats === undefined) return;
  refuseUnlessPlain(stats, file);
  const doubt = doubtAbout(file);
  if (doubt !== undefined) throw doubt;
}

function requireDirectory({ name, paths, cwd = paths.workspace }: Manifest, { look }: HostFacts): void {
  const isDirectory = look.kindOf(cwd) === "directory" || isDirectoryBehind(cwd);
  if (isDirectory === true) return;
  const fact = isDirectory === undefined ? "is missing" : "is not a directory";
  throw new LockkeeperError("COMMAND_NOT_FOUND", `the working directory of ${name} ${fact}: ${cwd}`, {
    hint:
      cwd === paths.workspace
        ? shellCommand("mkdir", "-p", "-m", "700", cwd)
        : shellCommand("lockkeeper", "edit", name, "--cwd", "."),
  });
}

/** Undefined: nothing is there. */
function isDirectoryBehind(directory: string): boolean | undefined {
  try {
    return statSync(directory, { throwIfNoEntry: false })?.isDirectory();
  } catch (error) {
    throw fileError(error, "look at", directory);
  }
}

/** Finds faults of the config before the gateway does. */
function configFaults(
  manifest: Manifest,
  env: Readonly<Record<string, string>>,
  facts: HostFacts,
): readonly PreflightFault[] | Promise<readonly PreflightFault[]> {
  return manifest.kind === "builtin" ? builtinConfigFaults(manifest, facts) : foreignConfigFaults(manifest, env);
}

async function foreignConfigFaults(
  manifest: Manifest,
  env: Readonly<Record<string, string>>,
): Promise<readonly PreflightFault[]> {
  const found = (await (await kinds[manifest.kind].foreign?.())?.checkConfig(manifest, env)) ?? [];
  return found.map(({ kind, message, hint }) => ({
    weight: kind === "broken" ? "error" : "warning",
    about: "config",
    code: "CONFIG_DAMAGED",
    message,
    evidence: [],
    hint,
  }));
}

function builtinConfigFaults({ paths }: Manifest, facts: HostFacts): readonly PreflightFault[] {
  const fault = facts.settingsFault(paths.config);
  if (fault === undefined) return [];
  const { code, message, evidence, hint = null } = fault;
  return [{ weight: "error", about: "config", code, message, evidence, hint }];
}

/** A hook that cannot be called does not prevent a start, but its message would be missing later. */
async function hookFaults(context: ProfilesContext, manifest: Manifest): Promise<readonly PreflightFault[]> {
  const { findHookFaults } = await import("./run-hooks.ts");
  return (await findHookFaults(context, manifest)).map(({ event, fault }) => ({
    weight: "warning",
    about: "hooks",
    code: "OPTION_INVALID",
    message: `the hook of ${manifest.name} for ${event} cannot be called: ${fault}`,
    evidence: [],
    hint: shellCommand("lockkeeper", "hooks", "test", manifest.name),
  }));
}

/** Any free port would do, so this is about the address alone. */
function requireAddress({ name, host }: Manifest, probe: PortProbe | undefined): void {
  if (probe?.verdict !== "unknown") return;
  throw new LockkeeperError("BIND_FAILED", `${name} cannot listen on ${host}: ${probe.errno}`, {
    hint: shellCommand("lockkeeper", "edit", name, "--host", "127.0.0.1"),
  });
}

function doubts(
  { env: starter }: ProfilesContext,
  { name, kind, port, span, health, host }: Manifest,
  env: Readonly<Record<string, string>>,
  { unprivilegedFrom }: HostFacts,
): readonly PreflightFault[] {
  const faults: PreflightFault[] = [];
  const warn = (about: About, code: ErrorCode, message: string, hint: string | null): void => {
    faults.push({ weight: "warning", about, code, message, evidence: [], hint });
  };
  const told = Number(env["PORT"]);
  if (kind === "command" && health !== "none" && Number.isInteger(told) && (told < port || told >= port + span)) {
    warn(
      "variables",
      "OPTION_INVALID",
      `PORT=${told} is no port of ${name}: its block is ${port}-${port + span - 1}, and ${hostWithPort(host, port)} is watched`,
      shellCommand("lockkeeper", "edit", name, "--env", "PORT={port}"),
    );
  }
  if (port < unprivilegedFrom && process.geteuid?.() !== 0) {
    warn(
      "block",
      "PERMISSION_DENIED",
      `port ${port} needs a privilege that this user lacks (from ${unprivilegedFrom} on it takes none): the program of ${name} must have it`,
      null,
    );
  }
  for (const variable of ["TMPDIR", "XDG_RUNTIME_DIR"]) {
    const directory = starter[variable];
    if (directory === undefined || env[variable] !== directory || isOwnDirectory(directory)) continue;
    warn(
      "variables",
      "OPTION_INVALID",
      `${variable} of this shell is not a directory of yours: ${directory}`,
      `unset ${variable}`,
    );
  }
  return faults;
}

/** A directory shared by everyone, such as `/tmp`, is accepted. */
function isOwnDirectory(directory: string): boolean {
  const stats = path.isAbsolute(directory) ? statSync(directory, { throwIfNoEntry: false }) : undefined;
  if (stats === undefined || !stats.isDirectory()) return false;
  return stats.uid === process.geteuid?.() || (stats.mode & 0o1002) === 0o1002 || process.platform === "win32";
}
