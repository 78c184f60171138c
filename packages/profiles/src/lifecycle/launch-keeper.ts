/** Starts the detached keeper program and reads its reports until the gateway is ready or the keeper has ended. */
import { fileError, type GatewayLockError, LockkeeperError, type RunRecord } from "@lockkeeper/core";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { ProfilesContext } from "../context.ts";
import { type KeeperReport, reviveError } from "../keeper-report.ts";
import type { Manifest } from "../manifest.ts";

export type LaunchResult =
  | { readonly kind: "running" }
  /** Somebody else owns the profile; what became of it is to be looked up. */
  | { readonly kind: "held"; readonly error: GatewayLockError }
  /** The keeper ended without a running gateway: given up, blocked, or stopped meanwhile. */
  | { readonly kind: "ended"; readonly record: RunRecord | undefined }
  | { readonly kind: "deadline" };

export interface LaunchOptions {
  readonly port?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/**
 * Starts a keeper and waits for its word until `deadline` (of `performance.now()`). The keeper lives on in any case.
 *
 * @throws {LockkeeperError} what the keeper itself reported.
 */
export async function launchKeeper(
  context: ProfilesContext,
  manifest: Manifest,
  options: LaunchOptions,
  deadline: number,
): Promise<LaunchResult> {
  const startedBy = `lockkeeper start (pid ${process.pid})`;
  const { keeper, gateway } = context.programs;
  const argv = [
    keeper,
    "--home",
    context.home,
    "--profile",
    manifest.name,
    "--gateway",
    gateway,
    "--started-by",
    startedBy,
  ];
  if (options.port !== undefined) argv.push("--port", String(options.port));
  const child = spawn(process.execPath, argv, {
    // Its working directory must not keep the caller's folder busy.
    cwd: context.home,
    env: context.env,
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
    windowsHide: true,
  });
  const spawned = new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(fileError(error, "start the keeper", context.programs.keeper)));
  });
  await spawned;
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => lines.close(), Math.max(0, deadline - performance.now()));
  const abort = (): void => lines.close();
  options.signal?.addEventListener("abort", abort, { once: true });
  let last: RunRecord | undefined;
  let ended = false;
  child.stdout.once("end", () => {
    ended = true;
  });
  try {
    for await (const line of lines) {
      const report = JSON.parse(line) as KeeperReport;
      if ("error" in report) {
        if (report.error.kind === "lock" && report.error.code === "LOCK_HELD") {
          return { kind: "held", error: reviveError(report.error) as GatewayLockError };
        }
        throw reviveError(report.error);
      }
      if ("outcome" in report) return { kind: "ended", record: last };
      last = report.record;
      if (last.state === "running") return { kind: "running" };
      options.onProgress?.(last.reason === null ? last.state : `${last.state}: ${last.reason}`);
    }
    options.signal?.throwIfAborted();
    if (!ended) return { kind: "deadline" };
    throw new LockkeeperError(
      "GATEWAY_EXITED",
      `the keeper of ${manifest.name} (pid ${child.pid}) was killed before the gateway was ready`,
      {
        hint: `lockkeeper start ${manifest.name}`,
      },
    );
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
    lines.close();
    child.stdout.destroy();
    child.unref();
  }
}
