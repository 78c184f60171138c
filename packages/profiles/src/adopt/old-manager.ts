/**
 * Finds what runs an external gateway today, and how to stop it and start it again: a systemd unit through its manager, when
 * the manager itself says that the process belongs to the unit; otherwise the process by its verified identity. Never by port
 * or name.
 */
import { LockkeeperError } from "@lockkeeper/core";
import {
  doubtAbout,
  findHolders,
  judgeProcess,
  readListeners,
  readProcessLaunch,
  sameProcess,
  signalProcess,
} from "@lockkeeper/core/internal";
import type { ProcessIdentity } from "@lockkeeper/core";
import type { ProcessLaunch } from "@lockkeeper/core/internal";
import { spawn } from "node:child_process";
import type { ForeignProgram, Installation } from "../foreign-program.ts";
import { pause } from "../interruptible.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import type { ServiceUnit } from "../service-units/service-units.ts";
import { readUnitState, startUnit, stopCommand, stopUnit } from "../service-units/systemctl.ts";

/** What runs a gateway today: a unit of systemd, or just a process. */
export type OldManager =
  | {
      readonly kind: "unit";
      readonly unit: ServiceUnit;
      readonly enabled: "yes" | "no";
      readonly process: ProcessIdentity;
    }
  | { readonly kind: "process"; readonly process: ProcessIdentity; readonly launch: ProcessLaunch };

/** The old manager, and units beside it that would start the gateway too. */
export interface OldManagement {
  readonly manager: OldManager;
  readonly otherUnits: readonly ServiceUnit[];
}

const POLL_MS = 50;

/**
 * Returns what runs the process that serves the profile.
 *
 * @throws {LockkeeperError} RECORD_UNVERIFIED when that is not certain, with the command to stop it by hand.
 */
export async function findOldManager(
  env: NodeJS.ProcessEnv,
  manifest: Manifest,
  process: ProcessIdentity,
  installation: Installation | undefined,
): Promise<OldManagement> {
  const otherUnits: ServiceUnit[] = [];
  let manager: OldManager | undefined;
  for (const unit of installation?.units ?? []) {
    const { mainPid, enabled } = await readUnitState(env, unit);
    if (mainPid === process.pid && manager === undefined) manager = { kind: "unit", unit, enabled, process };
    else if (enabled === "yes") otherUnits.push(unit);
  }
  if (manager !== undefined) return { manager, otherUnits };
  const records = kinds[manifest.kind].records?.(manifest.paths) ?? [];
  const recorded = records.some(
    ({ owner, path, port }) =>
      owner !== null && sameProcess(owner, process) && doubtAbout(path) === undefined && listens(process, port),
  );
  const launch = readProcessLaunch(process);
  if (recorded && launch !== undefined) return { manager: { kind: "process", process, launch }, otherUnits };
  const agent = installation?.units.find((unit) => unit.manager === "launchd");
  throw new LockkeeperError(
    "RECORD_UNVERIFIED",
    `pid ${process.pid} serves ${manifest.name}, but neither a unit nor a listener of its own says that it is its gateway`,
    {
      hint:
        agent === undefined
          ? `Stop it the way it was started, then: lockkeeper start ${manifest.name}`
          : `Stop it, then start ${manifest.name} here: ${stopCommand(agent)}`,
    },
  );
}

/** A record alone is not enough to end a process: it must listen where the record says. */
function listens({ pid }: ProcessIdentity, port: number | null): boolean {
  const listeners = readListeners();
  if (listeners === "unknown") return true;
  return [...findHolders(listeners)].some(
    ([listener, holder]) => holder.pid === pid && (port === null || listener.port === port),
  );
}

/** Returns the command or signal that stops it, for a person. */
export function describeStop(manager: OldManager): string {
  return manager.kind === "unit" ? stopCommand(manager.unit) : `SIGTERM to pid ${manager.process.pid}`;
}

/**
 * On return the old gateway is gone.
 *
 * @throws {LockkeeperError} STOP_INCOMPLETE at the deadline, ABORTED when `signal` aborts; it is not killed and continues to
 * stop.
 */
export async function stopOld(
  env: NodeJS.ProcessEnv,
  manager: OldManager,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { process } = manager;
  if (manager.kind === "unit") {
    await stopUnit(env, manager.unit);
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
    await pause(POLL_MS, signal);
  }
}

/** Starts the old gateway again as it was started before. The caller checks whether it comes up. */
export async function startOld(
  env: NodeJS.ProcessEnv,
  manager: OldManager,
  manifest: Manifest,
  program: ForeignProgram,
  addresses: readonly string[] | "unknown",
): Promise<void> {
  if (manager.kind === "unit") {
    await startUnit(env, manager.unit);
    return;
  }
  const { argv, env: itsOwn, cwd } = program.relaunch(manifest, manager.launch, addresses);
  const [file = "", ...rest] = argv;
  const child = spawn(file, rest, { cwd, env: itsOwn, detached: true, stdio: "ignore" });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.unref();
}
