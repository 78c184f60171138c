/** Says why there is no running gateway: the documented error, what was observed, and one next step. */
import { LockkeeperError } from "@lockkeeper/core";
import {
  coversAddress,
  portInUse,
  reachableHost,
  readLastAttempt,
  readListeners,
  shellCommand,
} from "@lockkeeper/core/internal";
import type { ErrorCode, RunRecord, GatewayLockError } from "@lockkeeper/core";
import type { LeaseSettings } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import { gatewayLogPath } from "../profile-paths.ts";
import type { ProfilesContext } from "../context.ts";
import type { ConfigFault } from "../foreign-program.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { findHandedOn, HANDED_ON, howToEnd } from "../ports/handed-on.ts";
import { describeListeners } from "../ports/listener-verdict.ts";
import { shownOutput } from "../run-secrets.ts";
import { searchHint } from "./find-program.ts";
import { portHint } from "./port-hint.ts";

/** Error codes of a keeper that gave up; they are passed on unchanged. */
const PASSED_ON = ["COMMAND_NOT_FOUND", "LISTENER_MISMATCH", "STOP_INCOMPLETE", "GATEWAY_UNHEALTHY"] as const;

/** Reasons why a gateway with a lease was never started, each with its remedy. Older output would only mislead. */
const withoutLease: Readonly<Partial<Record<ErrorCode, (name: string, lease: LeaseSettings) => string>>> = {
  LEASE_HELD: (name, lease) =>
    lease.standby
      ? `Without --no-standby it waits and takes over by itself: lockkeeper start ${name}`
      : `Its lease says standby=no, so it does not wait. On its owner: lockkeeper stop ${name}`,
  LEASE_UNAVAILABLE: () => "lockkeeper doctor",
  LOCK_UNSUPPORTED: (name) => `lockkeeper edit ${name} --unset lease`,
  CONFIG_DAMAGED: (_, { credentialsFile = "-" }) => `Mend the file of its lease's credentials: ${credentialsFile}`,
  UNSAFE_PATH: (_, { credentialsFile = "-" }) => shellCommand("chmod", "600", credentialsFile),
};

/** Returns the error for a keeper whose last record is `record`. */
export async function explainFailure(
  { env }: ProfilesContext,
  manifest: Manifest,
  record: RunRecord | undefined,
): Promise<LockkeeperError> {
  const { name } = manifest;
  if (record?.state === "blocked") return portConflict(manifest, record);
  if (record?.state === "stopped") {
    return new LockkeeperError("GATEWAY_EXITED", `${name} was stopped before it was ready`, {
      hint: `lockkeeper why ${name}`,
    });
  }
  const { lease } = manifest;
  const hint = withoutLease[record?.code as ErrorCode];
  if (record !== undefined && lease !== undefined && hint !== undefined) {
    return new LockkeeperError(record.code as ErrorCode, record.reason ?? `${name} was not started`, {
      hint: hint(name, lease),
    });
  }
  const code = PASSED_ON.find((known) => known === record?.code) ?? "GATEWAY_EXITED";
  const reason = record?.reason ?? "its keeper ended without a word";
  // The program never ran, so older lines would only mislead.
  if (code === "COMMAND_NOT_FOUND") {
    return new LockkeeperError(code, `${name} failed: ${reason}`, { hint: missingHint(manifest) });
  }
  const { lines, printed } = await readLastAttempt(gatewayLogPath(manifest.paths));
  const evidence = await shownOutput(lines, manifest, env);
  const fault = await configFault(manifest);
  if (fault !== undefined) {
    return new LockkeeperError(code, `${name} failed: ${fault.message}`, { evidence, hint: fault.hint });
  }
  const silent = printed === 0 && record?.lastExit?.code === 0;
  const otherPort = code === "LISTENER_MISMATCH" ? portHint(manifest) : undefined;
  return new LockkeeperError(code, `${name} failed: ${reason}`, {
    evidence,
    hint:
      record?.listensOn !== undefined
        ? `Give the profile that address, or make the program listen on {host}: ${shellCommand("lockkeeper", "edit", name, "--host", hostFor(manifest.host, record.listensOn))}`
        : silent
          ? "It ended well and printed nothing: a gateway has no standard input, and a program that reads it finds its end at once."
          : (otherPort ?? `The whole story: lockkeeper why ${name}`),
  });
}

/** Checks again what was missing, because the present state decides the next step. */
function missingHint({ name, cwd, command, paths }: Manifest): string {
  const directory = cwd ?? paths.workspace;
  return existsSync(directory)
    ? searchHint(command?.[0] ?? "", directory)
    : `Make it again, or give the profile another one: ${shellCommand("lockkeeper", "edit", name, "--cwd", ".")}`;
}

const LOOPBACKS: ReadonlySet<string> = new Set(["127.0.0.1", "::1"]);

/** `localhost` may be either loopback address. */
function hostFor(host: string, listensOn: string): string {
  return LOOPBACKS.has(host) && LOOPBACKS.has(listensOn) ? "localhost" : reachableHost(listensOn);
}

/** Reasons that the program's own output would only repeat. */
async function configFault(manifest: Manifest): Promise<ConfigFault | undefined> {
  const faults = await (await kinds[manifest.kind].foreign?.())?.checkConfig(manifest, manifest.env ?? {});
  return faults?.find(({ kind }) => kind === "broken");
}

/** Returns the error for a port that another process holds, with its holder as far as it is visible. */
function portConflict(manifest: Manifest, record: RunRecord): GatewayLockError {
  const { port } = record;
  const handedOn = findHandedOn(record);
  const evidence = holdersOf(manifest.host, port);
  return portInUse(manifest.host, port, {
    evidence: handedOn.length === 0 ? evidence : [...evidence, HANDED_ON],
    hint: handedOn.length === 0 ? `lockkeeper ports --explain ${port}` : howToEnd(handedOn),
  });
}

/** One line for each listener that blocks `host:port`. */
export function holdersOf(host: string, port: number): readonly string[] {
  const listeners = readListeners();
  if (listeners === "unknown") return [`port ${port} is held; this system does not show by whom`];
  const inTheWay = listeners.filter((listener) => listener.port === port && coversAddress(listener, host) === "yes");
  return describeListeners(inTheWay);
}
