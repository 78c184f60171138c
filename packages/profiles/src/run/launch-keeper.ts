/** Starts a keeper and reads its reports until the gateway is ready or the keeper has ended. */
import { LockkeeperError } from "@lockkeeper/core";
import type { GatewayLockError, RunRecord } from "@lockkeeper/core";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ProfilesContext } from "../context.ts";
import { throwIfAborted } from "../interruptible.ts";
import { reviveError } from "./keeper-report.ts";
import type { KeeperReport } from "./keeper-report.ts";
import { describeStart } from "./start-progress.ts";
import type { Manifest } from "../manifest.ts";
import { observeKept } from "../status/observed-state.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { belongsToRun } from "./inside-run.ts";
import { spawnKeeper } from "./spawn-keeper.ts";

/** The result of a launch, as reported by the keeper. */
export type LaunchResult =
  | { readonly kind: "running"; readonly record: RunRecord }
  /** Another host owns the lease, and the keeper waits for it. */
  | { readonly kind: "standby" }
  /** Another process owns the profile; the caller looks up its state. */
  | { readonly kind: "held"; readonly error: GatewayLockError }
  /** The keeper ended without a running gateway: given up, blocked, or stopped meanwhile. */
  | { readonly kind: "ended"; readonly record: RunRecord | undefined }
  | { readonly kind: "deadline" };

/** The options for the keeper, and how the start is watched. */
export interface LaunchOptions {
  readonly port?: number | undefined;
  /** How long the gateway's start may take. @default by kind */
  readonly timeoutMs?: number | undefined;
  readonly standby?: boolean | undefined;
  /** What asks for the start, for the history. @default "lockkeeper start" */
  readonly startedBy?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** How long a keeper may take to decide about a start whose time is over, the end of the gateway included. */
const VERDICT_MS = 10_000;

/** How long a program may listen elsewhere before the help for that is shown. The wait goes on: its own port may come second. */
const ADVICE_MS = 2_000;

/**
 * Starts a keeper and waits for its reports until `deadline` (of `performance.now()`). The keeper goes on in any case.
 *
 * @throws {LockkeeperError} the error that the keeper reported.
 */
export async function launchKeeper(
  context: ProfilesContext,
  { manifest, record }: ProfileObservation,
  options: LaunchOptions,
  deadline: number,
): Promise<LaunchResult> {
  const launchedAt = performance.now();
  const child = await spawnKeeper(context, {
    manifest,
    startedBy: options.startedBy ?? '"lockkeeper start"',
    port: options.port,
    startTimeoutMs: options.timeoutMs,
    sparesEarlierRun: record !== undefined && belongsToRun(context, record),
    standby: options.standby,
  });
  const reports = child.stdout ?? Readable.from([]);
  const lines = createInterface({ input: reports });
  const hangUp = (): void => lines.close();
  let last: RunRecord | undefined;
  /** How much later than ours the keeper's clock started, with its first gateway: seconds on a busy machine. */
  let lagMs: number | undefined;
  const atDeadline = (): void => {
    // What it will report then is worth a short wait.
    if (last?.code === "LISTENER_MISMATCH") timer = setTimeout(hangUp, (lagMs ?? 0) + VERDICT_MS);
    else hangUp();
  };
  let advice: NodeJS.Timeout | undefined;
  const adviseLater = (present: RunRecord): void => {
    clearTimeout(advice);
    if (options.onProgress === undefined || present.gateway === null || present.reason === null) return;
    advice = setTimeout(() => void advise(context, manifest, present, options.onProgress), ADVICE_MS);
  };
  let timer = setTimeout(atDeadline, Math.max(0, deadline - performance.now()));
  options.signal?.addEventListener("abort", hangUp, { once: true });
  try {
    for await (const line of lines) {
      const report = JSON.parse(line) as KeeperReport;
      if ("error" in report) {
        const error = reviveError(report.error);
        if (report.error.kind === "lock" && report.error.code === "LOCK_HELD") {
          return { kind: "held", error: error as GatewayLockError };
        }
        throw error;
      }
      if ("outcome" in report) return { kind: "ended", record: last };
      const isFirst = last === undefined;
      last = report.record;
      if (last.gateway !== null) lagMs ??= performance.now() - launchedAt;
      if (last.state === "running") return { kind: "running", record: last };
      if (last.state === "standby") return { kind: "standby" };
      // The first reason is that this very command starts it.
      options.onProgress?.(isFirst ? last.state : describeStart(manifest, last));
      adviseLater(last);
    }
    throwIfAborted(options.signal);
    if (!reports.readableEnded) return { kind: "deadline" };
    throw new LockkeeperError(
      "GATEWAY_EXITED",
      `the keeper of ${manifest.name} was killed before the gateway was ready`,
      { hint: `lockkeeper start ${manifest.name}` },
    );
  } finally {
    clearTimeout(timer);
    clearTimeout(advice);
    options.signal?.removeEventListener("abort", hangUp);
    lines.close();
    reports.destroy();
    child.unref();
  }
}

/** Repeats the progress with the help for a program that does not go by PORT, if that is what it looks like. */
async function advise(
  context: ProfilesContext,
  manifest: Manifest,
  record: RunRecord,
  onProgress: LaunchOptions["onProgress"],
): Promise<void> {
  const { hintWhileWaiting } = await import("./slowness-hint.ts");
  const hint = await hintWhileWaiting(context, { manifest, record, observed: observeKept(record) });
  if (hint !== undefined) onProgress?.(`${describeStart(manifest, record)}. ${hint}`);
}
