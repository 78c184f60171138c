/**
 * Plans a run: turns the manifest into the input of core's keeper and makes the checks that only profiles can make. The plan
 * is plain data, except for one check under the lock; after that check the keeper releases everything here.
 */
import { requireOpenFiles } from "@lockkeeper/core/internal";
import type { KeeperSpec } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { gatewayEnvironment } from "../environment/gateway-environment.ts";
import { parseHealthCheck } from "../kinds/health-check.ts";
import { kinds } from "../kinds/kinds.ts";
import { schemeOf } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { settleRegistry } from "../registry/registry-change.ts";
import { readRegistry, requireFrom, requireManifest } from "../registry/registry.ts";
import type { Registry } from "../registry/registry.ts";
import { runSecrets } from "../run-secrets.ts";
import { settingsMark } from "../status/pending-change.ts";
import { gatewayLogPath, historyPath, runRecordPath, stopRequestPath } from "../profile-paths.ts";
import { warnOfWideBind } from "../wide-bind.ts";
import { keepProgram } from "./keep-program.ts";
import { launchPlan } from "./launch-plan.ts";
import { refuseSharedDirectories } from "./preflight.ts";
import { requireToken } from "./require-token.ts";
import type { LeaseWaits } from "./run-lease.ts";
import type { RunPorts } from "./run-ports.ts";
import { endScopeOf } from "./sparing.ts";

/** Options of a run besides its profile's settings. */
export interface PlanOptions {
  /** When a healthy gateway runs already, leave it in control and exit with success, as a service manager expects. */
  readonly supervised: boolean;
  /** Whether the process goes on after the run. @default false */
  readonly stays?: boolean | undefined;
  /** Base port for this run only. @default the manifest's */
  readonly port?: number | undefined;
  /** Whether the asking process belongs to an earlier run, whose remains must then not be ended. @default false */
  readonly sparesEarlierRun?: boolean | undefined;
  /** What the gateway has for its start. @default by kind */
  readonly startTimeoutMs?: number | undefined;
  /** The origin of the request, for the history. @default the unit of the profile when it is supervised, else "lockkeeper run" */
  readonly startedBy?: string | undefined;
  /** How to wait for a lease. */
  readonly leaseWaits?: LeaseWaits | undefined;
}

/** A run that is ready to begin. */
export interface RunPlan {
  /** Plain data: a function would keep this file in memory during the whole run. The caller closes the program in `kept`. */
  readonly spec: Omit<KeeperSpec, "stop" | "force" | "confirm" | "report" | "onHealthy">;
  readonly folders: { readonly profile: string; readonly lock: string };
  /** Throws when a change of the registry has made the plan outdated; cleared after it was called under the lock. */
  readonly confirmation: { ask: (() => Promise<void>) | undefined };
}

/** How long a keeper waits for a lock whose owner is starting or stopping. */
const LOCK_TIMEOUT_MS = 5_000;

/**
 * Plans a run of the profile.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, DIRECTORY_SHARED, PORTS_OVERLAP, PORT_INVALID, OPTION_INVALID, UNSAFE_PATH;
 * IO_FAILED when this process may open too few files.
 */
export async function planRun(context: ProfilesContext, name: string, options: PlanOptions): Promise<RunPlan> {
  // Short of them later, with its gateway at hand, a keeper could neither keep that nor end it.
  requireOpenFiles();
  // A killed `remove` or `rename` may have moved the profile's folders already.
  await settleRegistry(context.home);
  const registry = readRegistry(context.home);
  const manifest = requireFrom(registry, context.home, name);
  refuseSharedDirectories(context.home, registry, manifest);
  requireToken(manifest);
  warnOfWideBind(manifest, options.port);
  const spec = {
    ...(await keeperSpec(context, registry, manifest, options)),
    ...(await ownership(context, manifest, options)),
    ...(manifest.hooks === undefined
      ? {}
      : { hooks: await (await import("./run-hooks.ts")).runHooks(context, manifest) }),
  };
  if (kinds[manifest.kind].foreign !== undefined) {
    await (await import("../access/profile-access.ts")).refreshTokenFile(context, manifest);
  }
  const { profile, lock } = manifest.paths;
  return {
    // Opened last: a plan that fails leaves nothing open.
    spec: manifest.kind === "builtin" ? { ...spec, kept: keepProgram(context.programs.gateway) } : spec,
    folders: { profile, lock },
    confirmation: { ask: () => requireStill(context.home, name) },
  };
}

/** Changing a profile needs its lock. We hold it, so this answer cannot go stale. */
async function requireStill(home: string, name: string): Promise<void> {
  await settleRegistry(home);
  requireManifest(home, name);
}

async function keeperSpec(
  context: ProfilesContext,
  registry: Registry,
  manifest: Manifest,
  options: PlanOptions,
): Promise<RunPlan["spec"]> {
  const kind = kinds[manifest.kind];
  const { port, ports } = await runPorts(registry, manifest, options.port);
  const env = await gatewayEnvironment(context, manifest, port);
  return {
    profile: manifest.name,
    kind: manifest.kind,
    home: context.home,
    lockDir: manifest.paths.lock,
    configPath: manifest.paths.config,
    host: manifest.host,
    port,
    span: manifest.span,
    ports,
    ...launchPlan(manifest, context.programs.gateway, port),
    env,
    inherited: Object.keys(env).filter((name) => env[name] === context.env[name] && manifest.env?.[name] === undefined),
    health: parseHealthCheck(manifest.health, manifest.kind, manifest.scheme),
    announces: kind.announces,
    settings: settingsMark(manifest),
    told: { healthCheck: manifest.health, scheme: schemeOf(manifest) },
    ...(kind.readiness === undefined ? {} : { readiness: kind.readiness }),
    logPath: gatewayLogPath(manifest.paths),
    eventsPath: historyPath(manifest.paths),
    runRecordPath: runRecordPath(context.home, manifest.name),
    stopRequestPath: stopRequestPath(context.home, manifest.name),
    startTimeoutMs: options.startTimeoutMs ?? kind.startTimeoutMs,
    stopTimeoutMs: manifest.stopTimeoutMs ?? kind.stopTimeoutMs,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    // A unit has its own limit, and its processes must stay in the unit's group.
    memoryMaxBytes: options.supervised || manifest.service !== undefined ? undefined : manifest.memoryMaxBytes,
    secrets: await runSecrets(manifest, env),
    memoryRestartBytes: manifest.memoryRestartBytes,
    restartUnresponsiveMs: manifest.restartUnresponsiveMs,
    spares: endScopeOf(manifest) === "all" ? undefined : { first: port, last: port + manifest.span - 1 },
    sparesEarlierRun: options.sparesEarlierRun,
    supervised: options.supervised,
    stays: options.stays,
    startedBy: originOf(options, manifest),
  };
}

function originOf({ startedBy, supervised }: PlanOptions, { service }: Manifest): string {
  if (startedBy !== undefined) return startedBy;
  return supervised && service !== undefined ? `the unit ${service.unit}` : '"lockkeeper run"';
}

/** Loaded only for a profile with a lease. */
async function ownership(
  context: ProfilesContext,
  manifest: Manifest,
  { leaseWaits = {} }: PlanOptions,
): Promise<Pick<KeeperSpec, "lease">> {
  if (manifest.lease === undefined) return {};
  const { keeperLease } = await import("./run-lease.ts");
  const lease = keeperLease(context, manifest, leaseWaits);
  return lease === undefined ? {} : { lease };
}

/** Loaded only for a run on another port than the profile's own. */
async function runPorts(registry: Registry, manifest: Manifest, asked: number | undefined): Promise<RunPorts> {
  if (asked === undefined) return manifest;
  const { planRunPorts } = await import("./run-ports.ts");
  return planRunPorts(registry, manifest, asked);
}
