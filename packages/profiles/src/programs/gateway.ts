/**
 * The built-in gateway as a program: one host, configured by the variables of its profile, stopped by a signal. It takes no
 * lock: its keeper holds the lock and has passed it on as a descriptor that this process only keeps open.
 */
import { LockkeeperError, startGatewayHost } from "@lockkeeper/core";
import { ignoreStraySignals, PERMANENT_EXIT_STATUS } from "@lockkeeper/core/internal";
import type { ErrorCode } from "@lockkeeper/core";
import { readStrongToken } from "../run/require-token.ts";
import { readGatewaySettings } from "../settings/gateway-settings.ts";

async function main(): Promise<void> {
  ignoreStraySignals();
  const { allowedHosts = [], ...settings } = readGatewaySettings(required("LOCKKEEPER_CONFIG_PATH"));
  const gateway = await startGatewayHost({
    ...settings,
    // A cookie name of its own, because browsers share the cookies of one host among all ports.
    allowedHosts: [...allowedHosts, `${required("LOCKKEEPER_PROFILE")}.localhost`],
    host: required("LOCKKEEPER_HOST"),
    port: Number(required("LOCKKEEPER_PORT")),
    token: readStrongToken(required("LOCKKEEPER_TOKEN_FILE")),
    onWarning: log,
  });
  log(`listening on ${gateway.url}`);
  const stop = (signal: NodeJS.Signals): void => {
    log(`${signal}: closing`);
    gateway.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === "") {
    throw new Error(`${variable} is not set: this program is started by a keeper (lockkeeper start <name>)`);
  }
  return value;
}

/** One event, one line. A full disk under the log must not end the gateway, so a failed write is ignored. */
function log(text: string): void {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`, () => undefined);
}

/** A person must act first, so the keeper is told not to restart it. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "CONFIG_DAMAGED",
  "OPTION_INVALID",
  "PERMISSION_DENIED",
  "UNSAFE_PATH",
]);

function fail(error: unknown): void {
  log(error instanceof Error ? error.message : String(error));
  // A TypeError is a wrong option: the same values will be as wrong the next time.
  const isPermanent = error instanceof TypeError || (error instanceof LockkeeperError && PERMANENT.has(error.code));
  process.exit(isPermanent ? PERMANENT_EXIT_STATUS : 1);
}

main().catch(fail);
