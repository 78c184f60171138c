/**
 * Starts and stops a profile under a service manager through that manager, so that both always agree. The reported state comes
 * from the same observation as for any other profile.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand, writeStopRequest } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import type { InstalledService, Manifest } from "../manifest.ts";
import { formatLease } from "../life/lease-text.ts";
import { pause, throwIfAborted } from "../interruptible.ts";
import { explainFailure } from "../run/explain-failure.ts";
import { restartProfile } from "../run/restart.ts";
import type { RestartOptions, RestartResult } from "../run/restart.ts";
import { requirePreflight } from "../run/preflight.ts";
import { describeStart } from "../run/start-progress.ts";
import type { StartOptions, StartResult } from "../run/start.ts";
import { isInsideRun } from "../run/inside-run.ts";
import { stopProfile, wouldStopItself } from "../run/stop.ts";
import type { StopOptions, StopResult } from "../run/stop.ts";
import { requireSystemctl, showUnit, systemctl } from "../service-units/systemd.ts";
import type { SystemdScope } from "../service-units/systemd.ts";
import { observeManifest, statusOf } from "../status/observe-profile.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { stopRequestPath } from "../profile-paths.ts";
import { unitPath, unitStopTimeoutMs } from "./unit-of.ts";

const LOOK_MS = 50;
/** How often the manager is asked while a stop goes on. */
const ASK_MS = 1_000;
/** Time that the manager needs after the deadline to notice, kill and report. */
const STOP_GRACE_MS = 5_000;

/**
 * Starts the profile's unit and waits until the gateway is ready.
 *
 * @throws {LockkeeperError} USAGE for options that would contradict the unit; MANAGER_UNREACHABLE, MANAGER_REFUSED; and the
 * errors of a start without a manager.
 */
export async function startManaged(
  context: ProfilesContext,
  manifest: Manifest,
  options: StartOptions = {},
): Promise<StartResult> {
  const service = requireService(manifest);
  for (const option of ["port", "replace"] as const) {
    if (options[option] === undefined || options[option] === false) continue;
    throw new LockkeeperError("USAGE", `${manifest.name} is kept by ${service.unit}, which knows no --${option}`, {
      hint:
        option === "port"
          ? `Move it for good: lockkeeper stop ${manifest.name} && lockkeeper edit ${manifest.name} --port ${options.port}`
          : `lockkeeper restart ${manifest.name}`,
    });
  }
  const { lease } = manifest;
  if (options.standby === false && lease?.standby === true) {
    const address = formatLease({ ...lease, standby: false });
    throw new LockkeeperError("USAGE", `${manifest.name} is kept by ${service.unit}, which knows no --no-standby`, {
      hint: `Its lease can say so: lockkeeper stop ${manifest.name} && ${shellCommand("lockkeeper", "edit", manifest.name, "--lease", address)}`,
    });
  }
  const before = observeManifest(context, manifest);
  if (before.observed.state === "running") return { outcome: "already-running", status: statusOf(context, before) };
  if (before.observed.state === "standby") return standingBy(context, before);
  requireUnitFile(context, manifest);
  await requirePreflight(context, manifest, "nothing was started");
  // systemd counts the starts of a unit that gave up; a start by a person resets the count.
  await systemctl(scopeOf(service), ["reset-failed", service.unit], context.env);
  await requireSystemctl(scopeOf(service), ["start", "--no-block", service.unit], context.env);
  return awaitStart(context, manifest, before.record?.nonce, options);
}

/**
 * Restarts the profile's unit; what ran by hand runs under the unit afterwards. The needs of the next start are checked before
 * anything is stopped.
 */
export async function restartManaged(
  context: ProfilesContext,
  manifest: Manifest,
  options: RestartOptions = {},
): Promise<RestartResult> {
  const service = requireService(manifest);
  const before = observeManifest(context, manifest);
  requireUnitFile(context, manifest);
  await requirePreflight(context, manifest, "it was not stopped and still runs");
  // A run by hand is not the unit's, which would find the profile taken.
  if (isAlive(before) && (await askUnit(context, service)) === "at-rest") {
    if (isInsideRun(context, before)) return restartProfile(context, manifest.name, options);
    await stopProfile(context, manifest.name, options);
  }
  await systemctl(scopeOf(service), ["reset-failed", service.unit], context.env);
  await requireSystemctl(scopeOf(service), ["restart", "--no-block", service.unit], context.env);
  if (isInsideRun(context, before))
    return { outcome: "handed-over", killed: false, spared: [], status: statusOf(context, before) };
  const { outcome, status } = await awaitStart(context, manifest, before.record?.nonce, options);
  return { outcome: outcome === "standby" ? outcome : "restarted", killed: false, spared: [], status };
}

/**
 * Stops the profile through its unit, so that it stays stopped. A run that is not the unit's is stopped as any other, and so is
 * one whose manager cannot be reached.
 *
 * @throws {LockkeeperError} USAGE for a deadline that the unit would cut short; and the errors of a stop without a manager.
 */
export async function stopManaged(
  context: ProfilesContext,
  manifest: Manifest,
  options: StopOptions = {},
): Promise<StopResult> {
  const service = requireService(manifest);
  const before = observeManifest(context, manifest);
  const unit = await askUnit(context, service);
  if (unit === "unreachable" && isAlive(before)) {
    options.onProgress?.("its service manager cannot be asked: stopping its keeper");
  }
  if (unit === "at-rest" || unit === "unreachable") return stopProfile(context, manifest.name, options);
  const longest = unitStopTimeoutMs(manifest);
  if (options.timeoutMs !== undefined && options.timeoutMs > longest) {
    throw new LockkeeperError("USAGE", `${service.unit} kills ${manifest.name} after ${longest / 1_000} s`, {
      hint: `${shellCommand("lockkeeper", "edit", manifest.name, "--stop-timeout", `${Math.ceil(options.timeoutMs / 1_000)}s`)} && ${shellCommand("lockkeeper", "service", "install", manifest.name)}`,
    });
  }
  const isInside = isInsideRun(context, before);
  if (isInside && options.stopMyself !== true) throw wouldStopItself(manifest.name);
  if (options.timeoutMs !== undefined && before.record !== undefined && isAlive(before)) {
    const request = { nonce: before.record.nonce, timeoutMs: options.timeoutMs };
    await writeStopRequest(stopRequestPath(context.home, manifest.name), request);
  }
  options.onProgress?.("stopping");
  await requireSystemctl(scopeOf(service), ["stop", "--no-block", service.unit], context.env);
  if (isInside) return { outcome: "handed-over", spared: [], status: statusOf(context, before) };
  await awaitRest(context, manifest, (options.timeoutMs ?? longest) + STOP_GRACE_MS, options.signal);
  const after = observeManifest(context, manifest);
  // Every process in a unit ends with it: none is spared.
  if (after.observed.state === "stopped") {
    return {
      outcome: after.record?.killed === true ? "killed" : "stopped",
      spared: [],
      status: statusOf(context, after),
    };
  }
  // What a keeper left that gave up or was killed; or a run that was never the unit's.
  const { outcome, ...rest } = await stopProfile(context, manifest.name, options);
  return { outcome: outcome === "already-stopped" ? "stopped" : outcome, ...rest };
}

/**
 * Waits until the manager says that the unit has ended: its keeper ends the gateway, and the manager kills the rest at its own
 * deadline. A unit without a process may be waiting for its next try, so the profile's own record is not enough.
 */
async function awaitRest(
  context: ProfilesContext,
  manifest: Manifest,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let nextAsk = 0;
  for (;;) {
    throwIfAborted(signal);
    // The record is cheap to read, a call of the manager is not: while processes live it is asked once a second.
    if (performance.now() >= nextAsk || !isAlive(observeManifest(context, manifest))) {
      const unit = await askUnit(context, requireService(manifest));
      if (unit === "at-rest" || unit === "unreachable") return;
      // A keeper that has reported its end may still call a hook.
      if (unit === "ending" && manifest.hooks !== undefined && !isAlive(observeManifest(context, manifest))) return;
      nextAsk = performance.now() + ASK_MS;
    }
    if (performance.now() >= deadline) {
      throw new LockkeeperError("STOP_INCOMPLETE", `${manifest.name} is not stopped after ${timeoutMs} ms`, {
        hint: `lockkeeper status ${manifest.name}`,
      });
    }
    await pause(LOOK_MS, signal);
  }
}

function isAlive({ observed: { keeper, gateway } }: ProfileObservation): boolean {
  return keeper !== null || gateway !== null;
}

/**
 * `busy`: the manager runs the unit, or is about to; `ending`: it ends the unit. `at-rest`: what runs of the profile is not the
 * unit's.
 */
export async function askUnit(
  { env }: ProfilesContext,
  service: InstalledService,
): Promise<"busy" | "ending" | "at-rest" | "unreachable"> {
  try {
    const { ActiveState } = await showUnit(scopeOf(service), service.unit, ["ActiveState"], env);
    if (ActiveState === "deactivating") return "ending";
    return ActiveState === "inactive" || ActiveState === "failed" ? "at-rest" : "busy";
  } catch (error) {
    if (error instanceof LockkeeperError && error.code === "MANAGER_UNREACHABLE") return "unreachable";
    throw error;
  }
}

async function awaitStart(
  context: ProfilesContext,
  manifest: Manifest,
  earlierNonce: string | undefined,
  options: StartOptions,
): Promise<StartResult> {
  const service = requireService(manifest);
  const timeoutMs = options.timeoutMs ?? kinds[manifest.kind].startTimeoutMs;
  const deadline = performance.now() + timeoutMs;
  let told = "";
  for (;;) {
    throwIfAborted(options.signal);
    const now = observeManifest(context, manifest);
    const { state, reason } = now.observed;
    const isNew = now.record !== undefined && now.record.nonce !== earlierNonce;
    if (isNew && state === "running") return { outcome: "started", status: statusOf(context, now) };
    if (isNew && state === "standby") return standingBy(context, now);
    if (isNew && (state === "failed" || state === "blocked")) throw await explainFailure(context, manifest, now.record);
    const news = isNew ? describeStart(manifest, { ...now.record, state, reason }) : told;
    if (news !== told) options.onProgress?.(news);
    told = news;
    // The unit ended before its keeper could publish anything, so its own output is the only evidence.
    if (!isNew && (await hasFailed(context, service))) throw await unitFailed(context, manifest, service);
    if (performance.now() >= deadline) {
      throw new LockkeeperError("STILL_STARTING", `${manifest.name} is still ${state} after ${timeoutMs} ms`, {
        evidence: reason === null ? [] : [reason],
        hint: `It goes on under ${service.unit}: lockkeeper wait ${manifest.name}`,
      });
    }
    await pause(LOOK_MS, options.signal);
  }
}

/** Another host owns the lease; the unit runs, and its keeper waits. */
async function standingBy(context: ProfilesContext, observation: ProfileObservation): Promise<StartResult> {
  const { withLiveLease } = await import("../status/lease-status.ts");
  const status = await withLiveLease(context, statusOf(context, observation), observation.manifest);
  return { outcome: "standby", status };
}

async function hasFailed({ env }: ProfilesContext, service: InstalledService): Promise<boolean> {
  const { ActiveState } = await showUnit(scopeOf(service), service.unit, ["ActiveState"], env);
  return ActiveState === "failed";
}

async function unitFailed(
  { env }: ProfilesContext,
  { name }: Manifest,
  service: InstalledService,
): Promise<LockkeeperError> {
  const properties = ["Result", "ExecMainStatus", "StatusText"];
  const shown = await showUnit(scopeOf(service), service.unit, properties, env);
  const user = service.manager === "systemd-user" ? "--user " : "";
  return new LockkeeperError("GATEWAY_EXITED", `${service.unit} failed before ${name} was ready`, {
    evidence: Object.entries(shown).map(([key, value]) => `${key}=${value}`),
    hint: `journalctl ${user}-u ${service.unit} -n 20`,
  });
}

/** A unit that was removed by hand is reported as such, not in the manager's words. */
function requireUnitFile(context: ProfilesContext, { name, service }: Manifest): void {
  if (service === undefined || existsSync(unitPath(service, context.env))) return;
  throw new LockkeeperError("MANAGER_REFUSED", `${name} is kept by ${service.unit}, and that unit's file is gone`, {
    evidence: [unitPath(service, context.env)],
    hint: `Write it again, or forget it with service uninstall: ${shellCommand("lockkeeper", "service", "install", name)}`,
  });
}

function requireService({ name, service }: Manifest): InstalledService {
  if (service === undefined) throw new Error(`${name} has no unit`);
  return service;
}

/** launchd is not asked, because that could not be tested. */
function scopeOf({ manager, unit }: InstalledService): SystemdScope {
  if (manager !== "launchd") return manager;
  throw new LockkeeperError("MANAGER_UNREACHABLE", `${unit} is kept by launchd, which Lockkeeper does not drive yet`, {
    hint: `launchctl kickstart gui/$(id -u)/${unit}`,
  });
}
