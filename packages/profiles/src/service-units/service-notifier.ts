/**
 * Tells systemd how the gateway does: ready when it is healthy, why it is not, that it stops, and a sign of life from each
 * health check that went well. Through `systemd-notify`, because Node has no datagram sockets of the Unix kind. The gateway
 * itself never gets the socket's address: its environment is made from an allow-list.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { gatewayUrl } from "@lockkeeper/core";
import type { RunRecord } from "@lockkeeper/core";

/** What a supervised run tells its manager. Nothing here ever throws: a manager that does not listen ends nothing. */
export interface ServiceNotifier {
  /** How often the health must be looked at for the watchdog; undefined: as usual. In milliseconds. */
  readonly livenessIntervalMs: number | undefined;
  readonly report: (record: RunRecord) => void;
  /** A look at the gateway's health that went well. */
  readonly confirm: () => void;
  /** Returns when everything was said. */
  readonly close: () => Promise<void>;
}

const TIMES = {
  /** A helper that hangs is ended. */
  helperMs: 5_000,
  /** Between two requests for more time to start, each of which asks for more than that. */
  extendMs: 5_000,
  extensionUs: 20_000_000,
};

/** Where systemd's own helper may be: in the same package as systemd. */
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

/** Returns what speaks to the manager of `env`; undefined when none listens, or nothing can speak to it. */
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
    // Twice in the time after which the manager would act.
    livenessIntervalMs: watchdogMs === undefined ? undefined : Math.max(500, watchdogMs / 3),
    report(record) {
      const status = `STATUS=${statusLine(record)}`;
      // While the keeper starts, restarts or waits, it is the keeper that is alive, within its own bounds.
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

function statusLine({ state, reason, host, port }: RunRecord): string {
  const facts = [state === "running" ? `running on ${gatewayUrl(host, port)}` : state, ...(reason ?? "").split("\n")];
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
