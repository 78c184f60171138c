/**
 * The keeper of one profile in this process: `lockkeeper run` uses it in the foreground, the detached keeper program uses it
 * for `start`. It plans the run and keeps it, and meanwhile it releases everything that only the planning needed, because a
 * keeper lives for months.
 */
import { runKeeper } from "@lockkeeper/core";
import { readyLockList } from "@lockkeeper/core/internal";
import type { KeeperOutcome, KeeperSpec, RunRecord } from "@lockkeeper/core";
import { closeSync, existsSync, rmdirSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { entriesOf } from "../directory-entries.ts";
import type { ServiceNotifier } from "../service-units/service-notifier.ts";
import { asOwnRun } from "./own-runs.ts";
import type { PlanOptions, RunPlan } from "./plan-run.ts";

/** How a keeper runs, and how it is ended. */
export interface RunOptions extends PlanOptions {
  /** Aborted: stop the gateway and end. */
  readonly stop: AbortSignal;
  /** Aborted: stop at once. */
  readonly force: AbortSignal;
  /** Called after every published change. */
  readonly report?: (record: RunRecord) => void;
  /** Called when the plan was confirmed under the lock, so that everything for planning can be released. */
  readonly onConfirmed?: () => void;
}

/**
 * Runs the profile's gateway until it is stopped or given up. A profile that was removed or renamed meanwhile is not found,
 * and its folder is not created again.
 *
 * @throws {GatewayLockError} LOCK_HELD when another keeper or gateway owns the profile.
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, DIRECTORY_SHARED, PORTS_OVERLAP, PORT_INVALID, OPTION_INVALID, UNSAFE_PATH.
 */
export async function runProfile(context: ProfilesContext, name: string, options: RunOptions): Promise<KeeperOutcome> {
  const planned = await plan(context, name, options);
  try {
    return await runPlanned(context, name, planned, options);
  } finally {
    if (planned.spec.kept !== undefined) closeSync(planned.spec.kept.fd);
  }
}

async function runPlanned(
  context: ProfilesContext,
  name: string,
  { spec, folders, confirmation }: RunPlan,
  options: RunOptions,
): Promise<KeeperOutcome> {
  const notifier = options.supervised ? await openNotifier(context) : undefined;
  const isThere = (): boolean => existsSync(folders.profile);
  const confirm = async (): Promise<void> => {
    await confirmation.ask?.();
    confirmation.ask = undefined;
    options.onConfirmed?.();
  };
  try {
    if (!isThere()) await confirmation.ask?.();
    return await asOwnRun(context.home, name, options.stop, (stop) =>
      runKeeper({ ...spec, ...toldTo(notifier, options), stop, force: options.force, confirm }),
    );
  } catch (error) {
    takeBackFolder(folders);
    if (!isThere()) await confirmation.ask?.();
    throw error;
  } finally {
    await notifier?.close();
  }
}

/** The modules for planning are loaded here, and no lasting object refers to them. */
async function plan(context: ProfilesContext, name: string, options: RunOptions): Promise<RunPlan> {
  // Planning takes about as long as the kernel needs to get ready.
  readyLockList();
  const { planRun } = await import("./plan-run.ts");
  return planRun(context, name, options);
}

/** Loaded only for a service manager. */
async function openNotifier({ env }: ProfilesContext): Promise<ServiceNotifier | undefined> {
  const { openServiceNotifier } = await import("../service-units/service-notifier.ts");
  return openServiceNotifier(env);
}

function toldTo(
  notifier: ServiceNotifier | undefined,
  { report }: RunOptions,
): Pick<KeeperSpec, "report" | "onHealthy" | "livenessIntervalMs"> {
  if (notifier === undefined) return report === undefined ? {} : { report };
  const { livenessIntervalMs } = notifier;
  return {
    report: (record) => {
      notifier.report(record);
      report?.(record);
    },
    onHealthy: notifier.confirm,
    ...(livenessIntervalMs === undefined ? {} : { livenessIntervalMs }),
  };
}

/** A folder that contains only an empty lock directory was made by our attempt to lock. */
function takeBackFolder({ profile, lock }: RunPlan["folders"]): void {
  const inIt = entriesOf(profile);
  if (inIt.length !== 1 || inIt[0] !== path.basename(lock)) return;
  try {
    rmdirSync(lock);
    rmdirSync(profile);
  } catch {
    // Another process uses it by now.
  }
}
