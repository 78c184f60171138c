/**
 * Moves an adopted gateway from its old manager to one of our keepers. Checks whether ours can start and what it would lack,
 * shows both managers, stops the old gateway, starts ours, and goes back if ours does not serve or listens more widely than
 * the old one did. Two gateways never run at once. Whether either of them runs is read from the program's own record in this
 * profile's state directory, never from an answer on a port.
 */
import { LockkeeperError, probeHealth } from "@lockkeeper/core";
import {
  findHolders,
  isLoopbackHost,
  isWildcardHost,
  judgeProcess,
  readListeners,
  sameProcess,
  shellCommand,
} from "@lockkeeper/core/internal";
import type { ProcessIdentity } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { gatewayEnvironment } from "../environment/gateway-environment.ts";
import type { ForeignProgram } from "../foreign-program.ts";
import { pause } from "../interruptible.ts";
import { kinds } from "../kinds/kinds.ts";
import { withPort } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { preflight, requirePreflight } from "../run/preflight.ts";
import { startProfile } from "../run/start.ts";
import { stopProfile } from "../run/stop.ts";
import { hostRoots } from "../service-units/host-roots.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import { disableCommand, disableUnit } from "../service-units/systemctl.ts";
import { observeManifest, observeProfile, statusOf } from "../status/observe-profile.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { lostVariables, oldEnvironment } from "./lost-variables.ts";
import { describeStop, findOldManager, startOld, stopOld } from "./old-manager.ts";
import type { OldManagement, OldManager } from "./old-manager.ts";

/** What a takeover would do, to be confirmed by a person. */
export interface TakeoverPlan {
  readonly profile: string;
  readonly host: string;
  readonly port: number;
  /** What runs it today. */
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
  /** Variables of the old gateway that ours will lack or will have with another value; names only. */
  readonly leftBehind: readonly string[];
  /** What will change, one fact each. */
  readonly warnings: readonly string[];
  /** Why a plain yes is not enough: the gateway would lack something that its config names. Empty when a yes is enough. */
  readonly grave: readonly string[];
}

/** How a takeover asks, how long it waits, and where it looks. */
export interface TakeoverOptions {
  /** Asked with the plan before anything is touched. */
  readonly consent: (plan: TakeoverPlan) => boolean | Promise<boolean>;
  /** Time for the old one to end. @default by kind (330_000) */
  readonly stopTimeoutMs?: number | undefined;
  /** Time for ours to become healthy. @default by kind (120_000) */
  readonly startTimeoutMs?: number | undefined;
  readonly roots?: HostRoots | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** The result; `plan` is null when there was nothing to take over. */
export interface TakeoverResult {
  readonly outcome: "taken-over" | "already-ours" | "declined";
  readonly plan: TakeoverPlan | null;
  readonly status: ProfileStatus;
}

/** Pause between two checks of what serves. */
const POLL_MS = 100;

/** Everything that a takeover acts on, gathered before it asks. */
interface Scene {
  readonly manifest: Manifest;
  readonly program: ForeignProgram;
  readonly management: OldManagement;
  /** Where the old gateway listens; it may be another port than the profile's. */
  readonly oldPort: number;
  readonly oldAddresses: readonly string[] | "unknown";
}

/**
 * Takes over. On return our keeper runs the gateway and the old manager neither runs it nor starts it again.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND; OPTION_INVALID when nothing runs; the errors that would refuse a start, before
 * anything is touched; RECORD_UNVERIFIED when it is not certain what runs it; STOP_INCOMPLETE when the old one does not end;
 * the errors of `start`, and LISTENER_MISMATCH when ours listens more widely: both after going back, with evidence.
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
  const roots = options.roots ?? hostRoots(context.env);
  const scene = await lookAt(context, observation, roots);
  const { manager } = scene.management;
  await requirePreflight(context, manifest, "the old gateway was not touched");
  const { host } = await scene.program.readConfig(manifest);
  if (isWildcardHost(host)) refuseWider(scene, [host], "would listen");
  const plan = await planOf(context, scene, roots);
  if (!(await options.consent(plan))) return { outcome: "declined", plan, status: statusOf(context, observation) };
  // The answer may have taken a while.
  if (!isStill(manager, observeManifest(context, manifest).observed.gateway)) throw changedMeanwhile(name);
  const { signal, onProgress } = options;
  onProgress?.(`stopping the old gateway: ${describeStop(manager)}`);
  const kind = kinds[manifest.kind];
  try {
    await stopOld(context.env, manager, { timeoutMs: options.stopTimeoutMs ?? kind.stopTimeoutMs, signal });
    onProgress?.("starting it under one of our keepers");
    const timeoutMs = options.startTimeoutMs ?? kind.startTimeoutMs;
    const startedBy = `"${shellCommand("lockkeeper", "takeover", name)}"`;
    const { status } = await startProfile(context, name, { timeoutMs, startedBy, signal, onProgress });
    refuseWider(scene, status.pid === null ? "unknown" : addressesOf(status.pid), "listens");
    if (manager.kind === "unit" && manager.enabled === "yes") await disableUnit(context.env, manager.unit);
    return { outcome: "taken-over", plan, status };
  } catch (error) {
    // When the stop failed, the old gateway is still in its place and there is nothing to undo.
    if (judgeProcess(manager.process) !== "gone") throw error;
    onProgress?.("ours does not serve as the old one did: going back");
    throw withEvidence(error, await goBack(context, scene));
  }
}

async function lookAt(
  context: ProfilesContext,
  { manifest, observed }: ProfileObservation,
  roots: HostRoots,
): Promise<Scene> {
  const program = await kinds[manifest.kind].foreign?.();
  if (observed.state !== "external" || observed.gateway === null || program === undefined) {
    throw new LockkeeperError(
      "OPTION_INVALID",
      `${manifest.name} is ${observed.state}: there is nothing to take over`,
      { hint: observed.state === "stopped" ? `lockkeeper start ${manifest.name}` : `lockkeeper why ${manifest.name}` },
    );
  }
  const named = { name: manifest.name, stateDir: manifest.paths.state };
  const found = await program.findInstallations(roots, [named]);
  const installation = found.find(({ realStateDir }) => realStateDir === manifest.paths.state);
  const management = await findOldManager(context.env, manifest, observed.gateway, installation);
  return {
    manifest,
    program,
    management,
    oldPort: observed.port ?? manifest.port,
    oldAddresses: addressesOf(observed.gateway.pid),
  };
}

async function planOf(
  context: ProfilesContext,
  { manifest, program, management, oldPort }: Scene,
  roots: HostRoots,
): Promise<TakeoverPlan> {
  const { name, host, port } = manifest;
  const { manager, otherUnits } = management;
  const enabled = manager.kind === "unit" ? manager.enabled : "no";
  const old = manager.kind === "unit" ? manager.unit.name : titleOf(manager);
  const before = oldEnvironment(manager.process, manager.kind === "unit" ? [manager.unit] : [], roots.userHome);
  const ours = await gatewayEnvironment(context, manifest, port);
  const doubts = await preflight(context, manifest);
  return {
    profile: name,
    host,
    port,
    old: { kind: manager.kind, pid: manager.process.pid, name: old, enabled },
    steps: [
      `stop the old gateway: ${describeStop(manager)}`,
      `start ${name} on port ${port} under one of our keepers, and wait until it has started`,
      ...(enabled === "yes" ? [`keep ${old} from starting by itself`] : []),
      `if ours does not serve, or listens more widely than before: stop it and start ${old} again`,
    ],
    leftBehind:
      before === undefined ? [] : lostVariables(before, ours, (variable) => program.needsNot(manifest, variable)),
    warnings: [
      ...(oldPort === port ? [] : [`it moves from port ${oldPort} to ${port}`]),
      ...(before === undefined ? ["the variables of the old gateway cannot be seen from here"] : []),
      // OpenClaw shows its title in place of its arguments.
      ...(manager.kind === "process" && manager.launch.argv.length < 2
        ? ["the arguments of the old gateway cannot be seen: ours will lack what is in them alone, such as --token"]
        : []),
      ...otherUnits.map((unit) => `${unit.name} is enabled and would start it too: ${disableCommand(unit)}`),
    ],
    grave: doubts
      .filter(({ about }) => about === "config")
      .map(({ message, hint }) => `${message}. ${hint ?? ""}`.trim()),
  };
}

function titleOf(manager: OldManager & { readonly kind: "process" }): string {
  // Its arguments may hold secrets, so only the program is named.
  return manager.launch.argv[0] ?? "a process";
}

/** Returns whether this is the process that the plan was made for. */
function isStill(manager: OldManager, now: ProcessIdentity | null): boolean {
  return now !== null && sameProcess(now, manager.process);
}

/** A gateway that only this machine could reach must stay that way, because nobody asked for more. */
function refuseWider(
  { manifest, oldAddresses }: Scene,
  addresses: readonly string[] | "unknown",
  verb: "would listen" | "listens",
): void {
  if (addresses === "unknown" || oldAddresses === "unknown" || oldAddresses.some(isWildcardHost)) return;
  const wider = addresses.filter((address) => !isLoopbackHost(address) && !oldAddresses.includes(address));
  if (wider.length === 0) return;
  throw new LockkeeperError(
    "LISTENER_MISMATCH",
    `ours ${verb} on ${wider.join(", ")}, while the old one listens on ${oldAddresses.join(", ")} alone`,
    { hint: `Say in its config where it may listen, then: lockkeeper takeover ${manifest.name}` },
  );
}

function addressesOf(pid: number): readonly string[] | "unknown" {
  const listeners = readListeners();
  if (listeners === "unknown") return "unknown";
  const holders = findHolders(listeners);
  return listeners.filter((listener) => holders.get(listener)?.pid === pid).map(({ address }) => address);
}

/** Returns what happened, one fact a line. Never throws, because the first failure is the one to report. */
async function goBack(context: ProfilesContext, scene: Scene): Promise<readonly string[]> {
  const { manifest, program, management, oldPort, oldAddresses } = scene;
  const { manager } = management;
  const old = manager.kind === "unit" ? manager.unit.name : "the old gateway";
  try {
    await stopProfile(context, manifest.name);
    await startOld(context.env, manager, withPort(manifest, oldPort), program, oldAddresses);
    const deadline = performance.now() + kinds[manifest.kind].startTimeoutMs;
    for (;;) {
      // Anything may answer on the port; the record in this state directory says whether it is this gateway.
      const found = observeManifest(context, manifest).observed;
      if (found.state === "external" && found.port !== undefined) {
        const { health } = await probeHealth({ host: manifest.host, port: found.port });
        if (health === "ok")
          return [`went back: ${old} runs again (pid ${found.gateway?.pid}, port ${found.port}) and is healthy`];
      }
      if (performance.now() >= deadline) {
        return [`did not go back: ${old} was started again, but no gateway of this profile came to serve`];
      }
      await pause(POLL_MS, undefined);
    }
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
