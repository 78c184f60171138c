/**
 * The keeper as a detached program, started by `start`. Its standard output is a pipe to the starter, which reads one JSON
 * line per published change and one at the end; the starter may exit at any time.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { ignoreStraySignals, keepHeapSmall, takeStopSignals } from "@lockkeeper/core/internal";
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import type { ProfilesContext } from "../context.ts";
import type { endPresentRun } from "../run/end-present-run.ts";
import { unpackKeeperEnvironment } from "../environment/child-environment.ts";
import { plainError } from "../run/keeper-report.ts";
import type { KeeperReport } from "../run/keeper-report.ts";
import { runProfile } from "../run/run.ts";
import { letGoOfStartFiles } from "./start-files.ts";

/** Written by {@link spawnKeeper} of `run/spawn-keeper.ts`. */
const OPTIONS = {
  home: { type: "string" },
  profile: { type: "string" },
  port: { type: "string" },
  "start-timeout": { type: "string" },
  "started-by": { type: "string" },
  gateway: { type: "string" },
  detach: { type: "boolean" },
  spare: { type: "boolean" },
  errand: { type: "string" },
  "asked-by": { type: "string" },
  timeout: { type: "string" },
  "no-standby": { type: "boolean" },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const { home, profile, gateway, errand, timeout } = values;
  if (home === undefined || profile === undefined || gateway === undefined) {
    throw new LockkeeperError("USAGE", "this program is started by lockkeeper start <name>");
  }
  if (values.detach === true) return startOutside();
  const { stop, force } = takeStopSignals(["SIGTERM", "SIGINT"]);
  ignoreStraySignals();
  // The terminal that started us may close; the gateway goes on.
  process.on("SIGHUP", () => undefined);
  keepHeapSmall();
  const context: ProfilesContext = {
    home,
    programs: { keeper: process.argv[1] ?? "", gateway },
    env: unpackKeeperEnvironment(process.env),
  };
  if (errand === "restart" || errand === "stop") {
    const timeoutMs = toNumber(timeout);
    await endEarlier(context, profile, { errand, askedBy: Number(values["asked-by"]), timeoutMs });
    if (errand === "stop") return;
  }
  const outcome = await runProfile(context, profile, {
    supervised: false,
    port: toNumber(values.port),
    startTimeoutMs: toNumber(values["start-timeout"]),
    startedBy: values["started-by"],
    sparesEarlierRun: values.spare,
    // Nobody waits for the answer of an errand.
    leaseWaits: { patient: errand !== undefined, ...(values["no-standby"] === true ? { standby: false } : {}) },
    stop,
    force,
    report: (record) => tell({ record }),
    onConfirmed: letGoOfStartFiles,
  });
  tell({ outcome: outcome.outcome, detail: outcome.detail });
  await outcome.told;
}

/** Its modules are loaded here, and released with the others. */
async function endEarlier(...request: Parameters<typeof endPresentRun>): Promise<void> {
  return (await import("../run/end-present-run.ts")).endPresentRun(...request);
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Starts this program once more; when we have ended, the copy has no ancestor in our original process tree. */
function startOutside(): void {
  const argv = process.argv.slice(1).filter((argument) => argument !== "--detach");
  spawn(process.execPath, argv, { detached: true, stdio: ["ignore", "inherit", "ignore"], windowsHide: true });
}

function tell(report: KeeperReport, told?: () => void): void {
  process.stdout.write(`${JSON.stringify(report)}\n`, told);
}

// The starter reads until the gateway is ready and then exits; later changes are published in the record anyway.
process.stdout.on("error", () => undefined);

main().then(
  () => process.exit(0),
  (error: unknown) => {
    // Whatever is still open must not keep a keeper alive that keeps nothing.
    tell({ error: plainError(error) }, () => process.exit(1));
  },
);
