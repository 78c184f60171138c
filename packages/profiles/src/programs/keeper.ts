/**
 * The keeper as a detached program, started by `start`. Its standard output is a pipe to the starter, which reads one
 * JSON line per published change and one at the end; the starter may be gone at any time.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { parseArgs } from "node:util";
import { type KeeperReport, plainError } from "../keeper-report.ts";
import { runProfile } from "../run.ts";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      home: { type: "string" },
      profile: { type: "string" },
      port: { type: "string" },
      "started-by": { type: "string" },
      gateway: { type: "string" },
    },
  });
  const { home, profile, gateway } = values;
  if (home === undefined || profile === undefined || gateway === undefined) {
    throw new LockkeeperError("USAGE", "this program is started by lockkeeper start <name>");
  }
  const stop = new AbortController();
  const force = new AbortController();
  const onSignal = (): void => (stop.signal.aborted ? force.abort() : stop.abort());
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  // The terminal that started us may close; the gateway stays.
  process.on("SIGHUP", () => undefined);
  const context = { home, programs: { keeper: process.argv[1] ?? "", gateway }, env: process.env };
  const outcome = await runProfile(context, profile, {
    supervised: false,
    port: values.port === undefined ? undefined : Number(values.port),
    startedBy: values["started-by"],
    stop: stop.signal,
    force: force.signal,
    report: (record) => tell({ record }),
  });
  tell({ outcome: outcome.outcome, detail: outcome.detail });
}

function tell(report: KeeperReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

// The starter reads until the gateway is ready and then goes away: what cannot be told any more is published anyway.
process.stdout.on("error", () => undefined);

main().then(
  () => process.exit(0),
  (error: unknown) => {
    tell({ error: plainError(error) });
    process.exitCode = 1;
  },
);
