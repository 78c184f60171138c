/**
 * Who runs an external gateway today, and how that is stopped and started again: a systemd unit through systemctl, when
 * systemd itself says that the process is its own; else the process by its verified identity. Never by port or name.
 */
import {
  errnoOf,
  identifyProcess,
  judgeProcess,
  LockkeeperError,
  type ProcessIdentity,
  type ProcessLaunch,
  readProcessLaunch,
  sameProcess,
  signalProcess,
} from "@lockkeeper/core";
import { execFile, spawn } from "node:child_process";
import type { OpenClawInstance } from "../discover/openclaw-instances.ts";
import { type ServiceUnit, systemctlArgv } from "../service-units/service-units.ts";
import { kinds } from "../kinds/kinds.ts";
import { pause } from "../interruptible.ts";
import type { Manifest } from "../manifest.ts";

/** Who runs a gateway today: a unit of systemd, or nobody but the process itself. */
export type OldManager =
  | {
      readonly kind: "unit";
      readonly unit: ServiceUnit;
      readonly enabled: "yes" | "no";
      readonly process: ProcessIdentity;
    }
  | { readonly kind: "process"; readonly process: ProcessIdentity; readonly launch: ProcessLaunch };

const limits = {
  /** systemctl answers at once; `stop` itself is waited for separately. */
  askTimeoutMs: 10_000,
  pollMs: 50,
};

/**
 * Returns who runs the process that listens for the profile.
 *
 * @throws {LockkeeperError} RECORD_UNVERIFIED when that cannot be told for certain, with the command to stop it by hand.
 */
export async function findOldManager(
  env: NodeJS.ProcessEnv,
  manifest: Manifest,
  process: ProcessIdentity,
  instance: OpenClawInstance | undefined,
): Promise<OldManager> {
  for (const unit of instance?.units ?? []) {
    if (unit.manager === "launchd") continue;
    const mainPid = await askSystemctl(env, unit, ["show", "--property=MainPID", "--value", unit.name]);
    if (Number(mainPid) !== process.pid) continue;
    const enabled = await askSystemctl(env, unit, ["is-enabled", unit.name]);
    return { kind: "unit", unit, enabled: enabled === "enabled" ? "yes" : "no", process };
  }
  const recorded = instance?.locks.some(({ owner }) => owner !== null && sameProcess(owner, process)) ?? false;
  const launch = readProcessLaunch(process);
  if (recorded && launch !== undefined) return { kind: "process", process, launch };
  const agent = instance?.units.find(({ manager }) => manager === "launchd");
  throw new LockkeeperError(
    "RECORD_UNVERIFIED",
    `pid ${process.pid} listens for ${manifest.name}, but neither a unit nor OpenClaw's own record says that it is its gateway`,
    {
      hint:
        agent === undefined
          ? `Stop it the way it was started, then: lockkeeper start ${manifest.name}`
          : `Stop it, then lockkeeper start ${manifest.name}: launchctl bootout gui/$(id -u)/${agent.name}`,
    },
  );
}

/** Returns the command or signal that stops it, for a person. */
export function describeStop(manager: OldManager): string {
  if (manager.kind === "process") return `SIGTERM to pid ${manager.process.pid} (${manager.launch.argv.join(" ")})`;
  return systemctlArgv(manager.unit, ["stop", manager.unit.name]).join(" ");
}

/**
 * On return the old gateway is gone.
 *
 * @throws {LockkeeperError} STOP_INCOMPLETE at the deadline, ABORTED when `signal` aborts; it is not killed, and goes on
 *   stopping.
 */
export async function stopOld(
  env: NodeJS.ProcessEnv,
  manager: OldManager,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { process } = manager;
  if (manager.kind === "unit") {
    await runSystemctl(env, manager.unit, ["stop", "--no-block", manager.unit.name]);
  } else if (signalProcess(process, "SIGTERM") === "refused") {
    throw new LockkeeperError("RECORD_UNVERIFIED", `pid ${process.pid} cannot be verified, so nothing was signalled`, {
      hint: "Run it as the same user and in the same container as the gateway.",
    });
  }
  const deadline = performance.now() + timeoutMs;
  while (judgeProcess(process) !== "gone") {
    if (performance.now() >= deadline) {
      throw new LockkeeperError(
        "STOP_INCOMPLETE",
        `pid ${process.pid} still runs ${timeoutMs} ms after it was asked to stop`,
        {
          hint: "It drains its work and may take minutes: run it again when it has ended, or with a longer --timeout.",
        },
      );
    }
    await pause(limits.pollMs, signal);
  }
}

/** Starts the old gateway again, as it was started before. Whether it becomes healthy is for the caller to see. */
export async function startOld(env: NodeJS.ProcessEnv, manager: OldManager, manifest: Manifest): Promise<void> {
  if (manager.kind === "unit") {
    await runSystemctl(env, manager.unit, ["start", manager.unit.name]);
    return;
  }
  const { argv, env: itsOwn, cwd } = manager.launch;
  const launch = kinds[manifest.kind].launch({ manifest, port: manifest.port, gatewayProgram: "" });
  // A process that renamed itself shows one long title and nothing to run.
  const [program = launch[0], ...rest] = argv.length > 1 ? argv : launch;
  const child = spawn(program, rest, { cwd, env: itsOwn, detached: true, stdio: "ignore" });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.unref();
}

/** Keeps the old unit from starting at the next login, or lets it again. */
export async function setEnabled(env: NodeJS.ProcessEnv, unit: ServiceUnit, verb: "enable" | "disable"): Promise<void> {
  await runSystemctl(env, unit, [verb, unit.name]);
}

/** Returns whether the process is the one that the plan was made for. */
export function isStill(manager: OldManager, pid: number | undefined): boolean {
  const now = pid === undefined ? undefined : identifyProcess(pid);
  return now !== undefined && sameProcess(now, manager.process);
}

/** Returns what systemctl says, or "" when it does not answer: a host without systemd has no unit that runs. */
async function askSystemctl(env: NodeJS.ProcessEnv, unit: ServiceUnit, args: readonly string[]): Promise<string> {
  return (await callSystemctl(env, unit, args)).stdout.trim();
}

async function runSystemctl(env: NodeJS.ProcessEnv, unit: ServiceUnit, args: readonly string[]): Promise<void> {
  const { fault, stderr } = await callSystemctl(env, unit, args);
  if (fault === undefined) return;
  const command = systemctlArgv(unit, args).join(" ");
  throw new LockkeeperError("STOP_INCOMPLETE", `${command} failed: ${stderr.trim() || fault}`, {
    hint: `Try it by hand: ${command}`,
  });
}

function callSystemctl(
  env: NodeJS.ProcessEnv,
  unit: ServiceUnit,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string; readonly fault: string | undefined }> {
  const [program, ...rest] = systemctlArgv(unit, args);
  return new Promise((resolve) => {
    execFile(program, rest, { env, timeout: limits.askTimeoutMs }, (error, stdout, stderr) => {
      resolve({ stdout, stderr, fault: error === null ? undefined : (errnoOf(error) ?? error.message) });
    });
  });
}
