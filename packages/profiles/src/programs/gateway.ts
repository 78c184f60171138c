/**
 * The built-in gateway as a program: one host, configured by the variables of its profile, stopped by a signal. It
 * takes no lock: its keeper holds it and has handed it down as a descriptor that this process only has to keep open.
 */
import { startGatewayHost } from "@lockkeeper/core";
import { readFile } from "node:fs/promises";
import { readGatewaySettings } from "../settings/settings.ts";

async function main(): Promise<void> {
  const gateway = await startGatewayHost({
    ...(await readGatewaySettings(required("LOCKKEEPER_CONFIG_PATH"))),
    host: required("LOCKKEEPER_HOST"),
    port: Number(required("LOCKKEEPER_PORT")),
    token: (await readFile(required("LOCKKEEPER_TOKEN_FILE"), "utf8")).trim(),
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

/** One event, one line. A full disk under the log must not take the gateway down, so a failed write is let go. */
function log(text: string): void {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`, () => undefined);
}

function fail(error: unknown): void {
  log(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
  process.exit();
}

main().catch(fail);
