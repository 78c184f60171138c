/**
 * `run`: the keeper in the foreground, with the gateway's output on stdout. The first signal stops the gateway, a second
 * one forces it.
 */
import { followLog, GatewayLockError, gatewayUrl, LockkeeperError, readLog } from "@lockkeeper/core";
import { followOutput, PERMANENT_EXIT_STATUS, shellCommand } from "@lockkeeper/core/internal";
import type { KeeperOutcome, RunRecord } from "@lockkeeper/core";
import { gatewayLogPath } from "@lockkeeper/profiles";
import type { Profiles, ProfileStatus } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { statusOfRun } from "../exit-status.ts";
import { stayAfter, stayAfterError } from "../staying.ts";
import { jsonText, outputText, plainLine } from "../terminal/plain-text.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["run"]>;

/** The exit status of a program that SIGTERM ended, as shells and service managers expect it. */
const ENDED_BY_SIGTERM = 143;
/** At the end, output that a reader does not take within this time is dropped. */
const LAST_OUTPUT_MS = 2_000;

/** launchd tells an agent its label. Source: observed by others, documented nowhere; untested. */
const isAgentOfOurs = ({ world: { env } }: Context): boolean =>
  env["XPC_SERVICE_NAME"]?.startsWith("dev.lockkeeper.") === true;

/** systemd tells a service's main process who it is. Source: systemd.exec(5), SYSTEMD_EXEC_PID. */
const isMainProcessOfUnit = ({ world: { env, pid } }: Context): boolean => env["SYSTEMD_EXEC_PID"] === String(pid);

export async function run(context: Context, given: Arguments): Promise<Result> {
  const { name, quiet, stay } = given;
  const { world, json } = context;
  const { stop, force, received } = world.interruption();
  world.ignoreStraySignals();
  world.keepHeapSmall();
  const supervised = given.supervised || isMainProcessOfUnit(context);
  if (stay && supervised) {
    throw new LockkeeperError(
      "USAGE",
      "--stay is for engines that restart everything that ends; a service manager has a filter",
      {
        hint: shellCommand("lockkeeper", "run", name, "--supervised"),
      },
    );
  }
  if (world.pid === 1 && !quiet && !json) world.stderr.write(`${FIRST_PROCESS}\n`);
  const profiles = await context.openProfiles();
  let said = "";
  let scheme: ProfileStatus["scheme"] = "ws";
  const report = (record: RunRecord): void => {
    if (json) world.stdout.write(`${jsonText(record)}\n`);
    const text = describeRecord(record, scheme);
    // The end is reported once, below.
    if (json || quiet || text === said || FINAL.has(record.state)) return;
    said = text;
    world.stderr.write(`${name}: ${text}\n`);
  };
  // A manager that starts it is named by the profile's unit.
  const startedBy = isMainProcessOfUnit(context) || isAgentOfOurs(context) ? undefined : '"lockkeeper run"';
  const leaseWaits = { patient: true, ...(given.noStandby ? { standby: false } : {}) };
  const runOnce = async (): Promise<KeeperOutcome> => {
    const over = new AbortController();
    const { paths, scheme: word } = await profiles.find(name);
    scheme = word;
    const passing = given.noOutput || json ? undefined : passOutput(context, gatewayLogPath(paths), over.signal);
    try {
      return await profiles.run(name, { supervised, stays: stay, startedBy, leaseWaits, stop, force, report });
    } catch (error) {
      throw await withWayOut(profiles, name, error);
    } finally {
      over.abort();
      await passing;
    }
  };
  const ended = await (stay ? stayAfterError(context, profiles, name, runOnce()) : runOnce());
  if (typeof ended === "number") return { value: undefined, status: ended };
  const { outcome, detail, record, told, onRequest } = ended;
  if (json) world.stdout.write(`${jsonText({ outcome, detail, record })}\n`);
  else if (!quiet) world.stderr.write(`${name}: ${outcome.replaceAll("-", " ")}: ${plainLine(detail)}\n`);
  await told;
  if (stay) await stayAfter(context, profiles, name, { outcome, onRequest });
  // A person's stop is the end: the manager must not take it for a stranger's signal.
  const terminated = outcome === "stopped" && supervised && received() === "SIGTERM" && onRequest !== true;
  const status = terminated ? ENDED_BY_SIGTERM : statusOfRun(outcome, record?.code ?? null);
  // launchd restarts every program that does not exit with 0, so a permanent failure must exit with 0.
  return { value: undefined, status: status === PERMANENT_EXIT_STATUS && isAgentOfOurs(context) ? 0 : status };
}

/** A signal to the owner's pid is no way out when that is a gateway, because its keeper would start it again. */
async function withWayOut(profiles: Profiles, name: string, error: unknown): Promise<unknown> {
  if (!(error instanceof GatewayLockError) || error.code !== "LOCK_HELD") return error;
  const { keeperPid } = await profiles.find(name);
  if (keeperPid === null) return error;
  const { message, ownerPid, evidence } = error;
  const hint = `It runs already. To run it here instead, stop it first: ${shellCommand("lockkeeper", "stop", name)}`;
  return new GatewayLockError("LOCK_HELD", message, { ownerPid, evidence, hint });
}

const FIRST_PROCESS =
  "this is the first process of its container and cannot reap what a gateway leaves behind: run it with an init (docker run --init)";

/** All output was written already. */
export function render(): string {
  return "";
}

const FINAL: ReadonlySet<RunRecord["state"]> = new Set<RunRecord["state"]>(["stopped", "failed", "blocked"]);

/**
 * Passes on the gateway's output from now on: to a terminal as `logs` shows it, elsewhere byte for byte. Returns when `over`
 * has aborted and the rest was passed on. A reader that goes away ends only the passing; a slow reader misses output that the
 * log no longer keeps.
 */
async function passOutput({ world }: Context, file: string, over: AbortSignal): Promise<void> {
  const passage = await world.openPassage();
  const giveUp = (): void => void setTimeout(passage.close, LAST_OUTPUT_MS).unref();
  over.addEventListener("abort", giveUp, { once: true });
  try {
    const { end: from } = await readLog(file, { lines: 0 });
    const options = { from, signal: over, drain: true };
    if (world.stdout.isTerminal) {
      for await (const line of followLog(file, options)) await passage.write(Buffer.from(`${outputText(line)}\n`));
    } else {
      for await (const bytes of followOutput(file, options)) await passage.write(bytes);
    }
  } catch {
    // Nobody reads any more, or the log cannot be read: the gateway is not affected.
  } finally {
    passage.close();
  }
}

function describeRecord({ state, reason, host, port, gateway }: RunRecord, scheme: ProfileStatus["scheme"]): string {
  const facts: string[] = [state];
  if (state === "running") facts.push(gatewayUrl(host, port, scheme));
  if (state === "running" && gateway !== null) facts.push(`pid ${gateway.pid}`);
  if (reason !== null) facts.push(plainLine(reason));
  return facts.join(", ");
}
