/**
 * The record that a keeper publishes about its run (`run/<name>.json`), as data. Pure: no file is touched here. Only the
 * process that holds the profile's lock writes and removes it. Readers must check the two identities before they trust a state
 * that needs a living process.
 */
import type { ProcessIdentity } from "../host/process-identity.ts";
import type { OutsideSocket } from "./outside-sockets.ts";
import type { SparedProcess } from "./sparing.ts";

/** The states that a keeper publishes. `orphaned` and `external` are conclusions of a reader and are never published. */
export type PublishedState =
  "standby" | "starting" | "running" | "unresponsive" | "blocked" | "failed" | "stopping" | "stopped";

/** `unknown`: not asked yet, or the probe could not be sent. */
export type Health = "ok" | "failing" | "unknown";

/** How a gateway process ended. Exactly one of `code` and `signal` is set when the system told us. */
export interface GatewayExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** The owner of the profile's lease, as the keeper last saw it. */
export interface RunLease {
  /** Host name. */
  readonly owner: string;
  /** ISO 8601. */
  readonly since: string;
  /** The token of our own ownership; every later owner's is greater. */
  readonly token: string | null;
}

/** The health check and the scheme of the run, in the words of the profile at its start. A later edit waits for the next start. */
export interface RunWords {
  readonly healthCheck: string;
  readonly scheme: string;
}

/** The whole document on disk. */
export interface RunRecord {
  readonly v: 1;
  readonly profile: string;
  /** Identifies this run; the gateway carries it as `LOCKKEEPER_RUN`. 128 random bits, hex. */
  readonly nonce: string;
  /** The caller's word for the kind of gateway, passed on unchanged; missing in records of the first release. */
  readonly kind?: string | undefined;
  readonly state: PublishedState;
  /** The reason for the state, in plain words. */
  readonly reason: string | null;
  /** The documented error code behind `blocked` and `failed`, or of a start that will fail with it as things are; else null. */
  readonly code: string | null;
  /** When the state was entered, ISO 8601. */
  readonly since: string;
  readonly keeper: ProcessIdentity | null;
  readonly gateway: ProcessIdentity | null;
  readonly host: string;
  /** The base port of this run (`start --port` makes it differ from the manifest's). */
  readonly port: number;
  readonly ports: Readonly<Record<string, number>>;
  /** When the present gateway process was started, ISO 8601. */
  readonly startedAt: string | null;
  readonly health: Health;
  /** Restarts after crashes within this keeper's life. */
  readonly restarts: number;
  readonly lastExit: GatewayExit | null;
  /** Since when the present gateway is healthy, ISO 8601; null when it is not, or not yet. Absent in records of older keepers. */
  readonly healthySince?: string | null;
  /** When a gateway of this profile was last silent, crashed, blocked or failed, ISO 8601. */
  readonly lastUnhealthyAt?: string | null;
  /** Start of the present outage (silent, failed or blocked); null when there is none. ISO 8601. */
  readonly downSince?: string | null;
  /** Processes that earlier ends of this profile's runs have spared: they are not strays. Absent: none. */
  readonly spared?: readonly SparedProcess[];
  /** What its command handed its work to, when that went on listening after the end of the run. Absent: nothing. */
  readonly outside?: readonly OutsideSocket[];
  /** The default deadline of a stop of this run; its keeper also reads requests with another one. */
  readonly stopTimeoutMs?: number;
  /** Its process goes on after a `stop` has ended the run, so that no caller waits for its end. */
  readonly stays?: true;
  /** A service manager started it, which may start it again after a mere signal: a person's stop is told by a request. */
  readonly supervised?: true;
  /** True when a process of its gateway had to be killed. */
  readonly killed?: true;
  /** For a run that ended with `LISTENER_MISMATCH`: the address that had its port. */
  readonly listensOn?: string;
  /** A digest of the settings of this run; absent in records of older keepers. */
  readonly settings?: string;
  /** Absent in records of older keepers. */
  readonly told?: RunWords;
  /** Only in runs with a lease. */
  readonly lease?: RunLease | null;
}

const TIMES = ["healthySince", "lastUnhealthyAt", "downSince"] as const;

const STATES: ReadonlySet<string> = new Set<PublishedState>([
  "standby",
  "starting",
  "running",
  "unresponsive",
  "blocked",
  "failed",
  "stopping",
  "stopped",
]);

/** States that stay true after their keeper has gone. */
const RESTING_STATES: ReadonlySet<PublishedState> = new Set(["stopped", "failed", "blocked"]);

const HEALTHS: ReadonlySet<string> = new Set<Health>(["ok", "failing", "unknown"]);

/** Says whether the state can last without a keeper. */
export function isResting(state: PublishedState): boolean {
  return RESTING_STATES.has(state);
}

/** Returns the record as one line of JSON. */
export function formatRunRecord(record: RunRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** Returns the record in `text`, or undefined when it is not a complete, valid one of this version. */
export function parseRunRecord(text: string): RunRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isRunRecord(value) ? value : undefined;
}

function isRunRecord(value: unknown): value is RunRecord {
  return (
    isObject(value) &&
    value["v"] === 1 &&
    typeof value["profile"] === "string" &&
    typeof value["nonce"] === "string" &&
    (value["kind"] === undefined || isString(value["kind"])) &&
    isPublishedState(value["state"]) &&
    isNullOr(value["reason"], isString) &&
    isNullOr(value["code"], isString) &&
    isString(value["since"]) &&
    isNullOr(value["keeper"], isIdentity) &&
    isNullOr(value["gateway"], isIdentity) &&
    isString(value["host"]) &&
    isPort(value["port"]) &&
    isObject(value["ports"]) &&
    Object.values(value["ports"]).every(isPort) &&
    isNullOr(value["startedAt"], isString) &&
    typeof value["health"] === "string" &&
    HEALTHS.has(value["health"]) &&
    isCount(value["restarts"]) &&
    isNullOr(value["lastExit"], isExit) &&
    (value["spared"] === undefined || (Array.isArray(value["spared"]) && value["spared"].every(isSpared))) &&
    (value["outside"] === undefined || (Array.isArray(value["outside"]) && value["outside"].every(isOutside))) &&
    TIMES.every((name) => value[name] === undefined || isNullOr(value[name], isString)) &&
    (value["settings"] === undefined || isString(value["settings"])) &&
    (value["told"] === undefined || isRunWords(value["told"])) &&
    (value["stopTimeoutMs"] === undefined || isCount(value["stopTimeoutMs"])) &&
    (value["stays"] === undefined || value["stays"] === true) &&
    (value["supervised"] === undefined || value["supervised"] === true) &&
    (value["killed"] === undefined || value["killed"] === true) &&
    (value["listensOn"] === undefined || isString(value["listensOn"])) &&
    (value["lease"] === undefined || isNullOr(value["lease"], isRunLease))
  );
}

/** Whether the value is a {@link PublishedState}. */
export function isPublishedState(value: unknown): value is PublishedState {
  return typeof value === "string" && STATES.has(value);
}

function isRunWords(value: unknown): value is RunWords {
  return isObject(value) && isString(value["healthCheck"]) && isString(value["scheme"]);
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return (
    isObject(value) &&
    isCount(value["pid"]) &&
    isNullOr(value["startTicks"], isCount) &&
    isNullOr(value["bootId"], isString) &&
    isNullOr(value["pidNamespace"], isString)
  );
}

function isSpared(value: unknown): value is SparedProcess {
  return isIdentity(value) && isObject(value) && isString(value["name"]);
}

function isOutside(value: unknown): value is OutsideSocket {
  return isObject(value) && isPort(value["port"]) && isString(value["socket"]) && isNullOr(value["bootId"], isString);
}

/** Whether the value is a gateway's exit, as in a record or an event. */
export function isExit(value: unknown): value is GatewayExit {
  return (
    isObject(value) && isNullOr(value["code"], isCount) && isNullOr(value["signal"], isString) && isString(value["at"])
  );
}

function isRunLease(value: unknown): value is RunLease {
  return isObject(value) && isString(value["owner"]) && isString(value["since"]) && isNullOr(value["token"], isString);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNullOr<T>(value: unknown, check: (value: unknown) => value is T): value is T | null {
  return value === null || check(value);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isPort(value: unknown): value is number {
  return isCount(value) && value <= 65_535;
}
