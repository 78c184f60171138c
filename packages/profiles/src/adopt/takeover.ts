/**
 * Brings an adopted gateway that somebody else runs under a keeper of ours: shows both managers, stops the old one, starts
 * ours, and goes back if ours does not become healthy. At no moment do two gateways run.
 */
import { LockkeeperError, probeHealth } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { type HostRoots, hostRoots } from "../service-units/host-roots.ts";
import { findOpenClawInstances } from "../discover/openclaw-instances.ts";
import { kinds } from "../kinds/kinds.ts";
import { pause } from "../interruptible.ts";
import { observeManifest, observeProfile, type ProfileObservation, statusOf } from "../status/observe-profile.ts";
import { startProfile } from "../run/start.ts";
import { stopProfile } from "../run/stop.ts";
import type { Manifest } from "../manifest.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import {
  describeStop,
  findOldManager,
  isStill,
  type OldManager,
  setEnabled,
  startOld,
  stopOld,
} from "./old-manager.ts";

/** What a takeover would do, for a person to agree to. */
export interface TakeoverPlan {
  readonly profile: string;
  readonly host: string;
  readonly port: number;
  /** Who runs it today. */
  readonly old: {
    readonly kind: "unit" | "process";
    readonly pid: number;
    /** `openclaw-gateway.service`, or the command line. */
    readonly name: string;
    /** Whether it would start by itself at the next login. */
    readonly enabled: "yes" | "no";
  };
  /** What will happen, in order, one step a line. */
  readonly steps: readonly string[];
  /** Variables of the old manager that our gateway will not have: pass them with an env file if it needs them. */
  readonly leftBehind: readonly string[];
}

/** How a takeover asks, how long it waits, and where it looks. */
export interface TakeoverOptions {
  /** Asked with the plan before anything is touched. */
  readonly consent: (plan: TakeoverPlan) => boolean | Promise<boolean>;
  /** For the old one to end, in milliseconds. @default by kind (330_000) */
  readonly stopTimeoutMs?: number | undefined;
  /** For ours to become healthy, in milliseconds. @default by kind (120_000) */
  readonly startTimeoutMs?: number | undefined;
  readonly roots?: HostRoots | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What came of it; `plan` is null where there was nothing to take over. */
export interface TakeoverResult {
  readonly outcome: "taken-over" | "already-ours" | "declined";
  readonly plan: TakeoverPlan | null;
  readonly status: ProfileStatus;
}

const pollMs = 100;

/**
 * Takes over. On return our keeper runs the gateway and the old manager neither runs it nor starts it again.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND; OPTION_INVALID when nothing runs; RECORD_UNVERIFIED when it cannot be told
 *   who does; STOP_INCOMPLETE when the old one does not end; and what `start` throws, after going back, with evidence of that.
 */
export async function takeOver(
  context: ProfilesContext,
  name: string,
  options: TakeoverOptions,
): Promise<TakeoverResult> {
  const observation = observeProfile(context, name);
  const { manifest, observed } = observation;
  if (observed.keeper !== null || observed.state === "orphaned") {
    return { outcome: "already-ours", plan: null, status: statusOf(context, observation) };
  }
  const manager = await findManager(context, observation, options.roots ?? hostRoots(context.env));
  const plan = planOf(manifest, manager);
  if (!(await options.consent(plan))) {
    return { outcome: "declined", plan, status: statusOf(context, observation) };
  }
  // The answer may have taken a while.
  if (!isStill(manager, observeManifest(context, manifest).observed.gateway?.pid)) throw changedMeanwhile(name);
  const { signal, onProgress } = options;
  onProgress?.(`stopping the old gateway: ${describeStop(manager)}`);
  await stopOld(context.env, manager, { timeoutMs: options.stopTimeoutMs ?? kinds.openclaw.stopTimeoutMs, signal });
  try {
    onProgress?.("starting it under a keeper of ours");
    const timeoutMs = options.startTimeoutMs ?? kinds.openclaw.startTimeoutMs;
    const { status } = await startProfile(context, name, { timeoutMs, signal, onProgress });
    if (manager.kind === "unit" && manager.enabled === "yes") await setEnabled(context.env, manager.unit, "disable");
    return { outcome: "taken-over", plan, status };
  } catch (error) {
    onProgress?.("ours did not become healthy: going back");
    throw withEvidence(error, await goBack(context, manifest, manager));
  }
}

async function findManager(
  context: ProfilesContext,
  { manifest, observed }: ProfileObservation,
  roots: HostRoots,
): Promise<OldManager> {
  if (observed.state !== "external" || observed.gateway === null) {
    throw new LockkeeperError(
      "OPTION_INVALID",
      `${manifest.name} is ${observed.state}: there is nothing to take over`,
      {
        hint: `lockkeeper start ${manifest.name}`,
      },
    );
  }
  const named = { name: manifest.name, stateDir: manifest.paths.state };
  const instances = await findOpenClawInstances(roots, named);
  const instance = instances.find(({ realStateDir }) => realStateDir === manifest.paths.state);
  return findOldManager(context.env, manifest, observed.gateway, instance);
}

/** Variables of a unit that need no mention: every gateway has them, or ours gets its own. */
const carried =
  /^(?:PATH|HOME|USER|SHELL|LANG|TZ|TERM|TMPDIR|LC_.*|XDG_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|OPENCLAW_(?:STATE_DIR|CONFIG_PATH|GATEWAY_PORT|PROFILE|SYSTEMD_UNIT|SERVICE_.*))$/;

function planOf(manifest: Manifest, manager: OldManager): TakeoverPlan {
  const { name, host, port, env = {} } = manifest;
  const enabled = manager.kind === "unit" ? manager.enabled : "no";
  const old = manager.kind === "unit" ? manager.unit.name : manager.launch.argv.join(" ");
  const its = manager.kind === "unit" ? Object.keys(manager.unit.environment) : [];
  return {
    profile: name,
    host,
    port,
    old: { kind: manager.kind, pid: manager.process.pid, name: old, enabled },
    steps: [
      `stop the old gateway: ${describeStop(manager)}`,
      `start ${name} on port ${port} under a keeper of ours, and wait until it is healthy`,
      ...(enabled === "yes" ? [`keep ${old} from starting by itself`] : []),
      `if ours does not become healthy: stop it and start ${old} again`,
    ],
    leftBehind: its.filter((variable) => !carried.test(variable) && !Object.hasOwn(env, variable)),
  };
}

/** Returns what came of it, one fact a line. Never throws: the first failure is the one to tell. */
async function goBack(context: ProfilesContext, manifest: Manifest, manager: OldManager): Promise<readonly string[]> {
  const old = manager.kind === "unit" ? manager.unit.name : "the old gateway";
  try {
    await stopProfile(context, manifest.name);
    await startOld(context.env, manager, manifest);
    const { host, port } = manifest;
    const deadline = performance.now() + kinds.openclaw.startTimeoutMs;
    while ((await probeHealth({ host, port })).health !== "ok") {
      if (performance.now() >= deadline) return [`went back: ${old} was started again, but is not healthy yet`];
      await pause(pollMs, undefined);
    }
    return [`went back: ${old} runs again and is healthy`];
  } catch (error) {
    return [`could not go back: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function withEvidence(error: unknown, evidence: readonly string[]): unknown {
  if (!(error instanceof LockkeeperError)) return error;
  return new LockkeeperError(error.code, error.message, {
    cause: error,
    evidence: [...error.evidence, ...evidence],
    hint: error.hint,
  });
}

function changedMeanwhile(name: string): LockkeeperError {
  return new LockkeeperError("RECORD_UNVERIFIED", `another process serves ${name} by now, so nothing was touched`, {
    hint: `Look again: lockkeeper takeover ${name}`,
  });
}
