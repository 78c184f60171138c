/**
 * Tells systemd about the gateway: that it is ready, why it is not healthy, that it stops, and a sign of life after each
 * successful health check. Through `systemd-notify`, because Node has no datagram sockets of the Unix kind. The gateway itself
 * never gets the socket's address: its environment is made from an allow-list.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { gatewayUrl } from "@lockkeeper/core";
import { hostWithPort } from "@lockkeeper/core/internal";
import type { RunRecord } from "@lockkeeper/core";

/** What a supervised run tells its manager. Never throws: a manager that does not listen must not end the run. */
export interface ServiceNotifier {
  /** How often the watchdog needs a health check; undefined: as usual. */
  readonly livenessIntervalMs: number | undefined;
  readonly report: (record: RunRecord) => void;
  /** A successful health check. */
  readonly confirm: () => void;
  /** Returns when everything was sent. */
  readonly close: () => Promise<void>;
}

const TIMES = {
  /** A helper that hangs is killed after this time. */
  helperMs: 5_000,
  /** Pause between two requests for more time to start; each asks for more than that. */
  extendMs: 5_000,
  extensionUs: 20_000_000,
};

/** Possible places of systemd's own helper, which comes with systemd. */
const HELPERS = ["/usr/bin/systemd-notify", "/bin/systemd-notify"];

/** Returns the path of systemd's helper, or undefined where there is none. */
export function findNotifyHelper(): string | undefined {
  return HELPERS.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Returns a notifier for the manager in `env`; undefined when no manager listens or the helper is missing. */
export function openServiceNotifier(env: NodeJS.ProcessEnv): ServiceNotifier | undefined {
  const socket = env["NOTIFY_SOCKET"];
  const helper = socket === undefined || socket === "" ? undefined : findNotifyHelper();
  if (socket === undefined || helper === undefined) return undefined;
  const watchdogMs = watchdogOf(env);
  let queue: Promise<void> = Promise.resolve();
  let extension: NodeJS.Timeout | undefined;
  const say = (...words: readonly string[]): void => {
    queue = queue.then(() => callHelper(helper, socket, words));
  };
  const alive = watchdogMs === undefined ? [] : ["WATCHDOG=1"];
  const askForTime = (): void => say(`EXTEND_TIMEOUT_USEC=${TIMES.extensionUs}`, ...alive);
  const setBusy = (isBusy: boolean): void => {
    if (isBusy === (extension !== undefined)) return;
    clearInterval(extension);
    extension = isBusy ? setInterval(askForTime, TIMES.extendMs).unref() : undefined;
  };
  return {
    // Twice within the time after which the manager would act.
    livenessIntervalMs: watchdogMs === undefined ? undefined : Math.max(500, watchdogMs / 3),
    report(record) {
      const status = `STATUS=${statusLine(record)}`;
      // While the keeper starts, restarts or waits, the sign of life is the keeper's, within its own bounds.
      setBusy(record.state === "starting" || record.state === "standby");
      if (record.state === "running") say("READY=1", status, ...alive);
      else if (record.state === "standby") say("READY=1", status, ...alive);
      else if (record.state === "stopping") say("STOPPING=1", status);
      else if (record.state === "starting") say(status, `EXTEND_TIMEOUT_USEC=${TIMES.extensionUs}`, ...alive);
      else say(status);
    },
    confirm() {
      if (watchdogMs !== undefined) say("WATCHDOG=1");
    },
    async close() {
      setBusy(false);
      await queue;
    },
  };
}

/** Source: sd_watchdog_enabled(3): the time is for the process that WATCHDOG_PID names, if it names one. */
function watchdogOf(env: NodeJS.ProcessEnv): number | undefined {
  const us = Number(env["WATCHDOG_USEC"]);
  const pid = env["WATCHDOG_PID"];
  const isOurs = pid === undefined || pid === "" || pid === String(process.pid);
  return Number.isSafeInteger(us) && us > 0 && isOurs ? us / 1_000 : undefined;
}

function statusLine({ state, reason, kind, host, port }: RunRecord): string {
  // The record does not say which protocol a user's own program speaks.
  const where = kind === "command" ? hostWithPort(host, port) : gatewayUrl(host, port);
  const facts = [state === "running" ? `running on ${where}` : state, ...(reason ?? "").split("\n")];
  return facts
    .filter((fact) => fact !== "")
    .join(": ")
    .slice(0, 200);
}

function callHelper(helper: string, socket: string, words: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(helper, [...words], {
      stdio: "ignore",
      env: { NOTIFY_SOCKET: socket },
      timeout: TIMES.helperMs,
      killSignal: "SIGKILL",
    });
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}
