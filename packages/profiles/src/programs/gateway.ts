/**
 * The built-in gateway as a program: one host, configured by the variables of its profile, stopped by a signal. It
 * takes no lock: its keeper holds it and has handed it down as a descriptor that this process only has to keep open.
 */
import { ignoreStraySignals, LockkeeperError, readIfPresent, startGatewayHost } from "@lockkeeper/core";
import type { ErrorCode } from "@lockkeeper/core";
import { readGatewaySettings } from "../settings/gateway-settings.ts";

async function main(): Promise<void> {
  ignoreStraySignals();
  const { allowedHosts = [], ...settings } = readGatewaySettings(required("LOCKKEEPER_CONFIG_PATH"));
  const gateway = await startGatewayHost({
    ...settings,
    // A name of its own for browsers, which share the cookies of one host among all of its ports.
    allowedHosts: [...allowedHosts, `${required("LOCKKEEPER_PROFILE")}.localhost`],
    host: required("LOCKKEEPER_HOST"),
    port: Number(required("LOCKKEEPER_PORT")),
    token: await readToken(required("LOCKKEEPER_TOKEN_FILE")),
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

async function readToken(path: string): Promise<string> {
  const token = await readIfPresent(path);
  if (token !== undefined) return token.trim();
  throw new LockkeeperError("OPTION_INVALID", `there is no token at ${path}`);
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === "") {
    throw new Error(`${variable} is not set: this program is started by a keeper (lockkeeper start <name>)`);
  }
  return value;
}

/** One event, one line. A full disk under the log must not take the gateway down, so a failed write is let go. */
function log(text: string): void {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`, () => undefined);
}

/** A person has to act first: its keeper is told that starting it again is no use. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "CONFIG_DAMAGED",
  "OPTION_INVALID",
  "PERMISSION_DENIED",
  "UNSAFE_PATH",
]);
/** Source: EX_CONFIG of sysexits.h, which a keeper takes for "not again". */
const PERMANENT_EXIT_CODE = 78;

function fail(error: unknown): void {
  log(error instanceof Error ? error.message : String(error));
  process.exit(error instanceof LockkeeperError && PERMANENT.has(error.code) ? PERMANENT_EXIT_CODE : 1);
}

main().catch(fail);
