/**
 * The manifest of a profile: chosen at `create`, changed only by a command of a person. The check here is hand-written and
 * cheap, because every command reads every manifest. Pure.
 */
import { DEFAULT_HOST } from "@lockkeeper/core";
import type { RunRecord } from "@lockkeeper/core";
import type { HookEvent, LeaseSettings } from "@lockkeeper/core/internal";
import { isRecord } from "./json.ts";
import { isProfileName } from "./profile-name.ts";
import type { ProfileName } from "./profile-name.ts";
import { pathsInFolder, profilePaths } from "./profile-paths.ts";
import type { ProfilePaths } from "./profile-paths.ts";
import { HIGHEST_PORT, isPort } from "./port-number.ts";

/** The kinds of gateway, in the order of display. `kinds/kinds.ts` describes each. */
export const KIND_NAMES = ["builtin", "command", "openclaw"] as const;

/** The kind of gateway that a profile runs. */
export type KindName = (typeof KIND_NAMES)[number];

/** The scheme of a gateway's address. */
export const SCHEMES = ["http", "https", "ws", "wss"] as const;
/** @see SCHEMES */
export type Scheme = (typeof SCHEMES)[number];

/** Returns the scheme of the gateway's address: the owner's choice, else the usual one of its kind. */
export function schemeOf({ kind, scheme }: Pick<Manifest, "kind" | "scheme">): Scheme {
  return scheme ?? (kind === "command" ? "http" : "ws");
}

/** Whether `text` can be the path of a health check: a slash, then printable ASCII without blanks. */
export function isHealthPath(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return text.startsWith("/");
}

/**
 * Returns the manifest with the health check and the scheme that the run of `record` was started with. Changed ones apply from the
 * next start on.
 */
export function asStarted(manifest: Manifest, record: Pick<RunRecord, "told"> | undefined): Manifest {
  const { healthCheck, scheme } = record?.told ?? { healthCheck: manifest.health, scheme: schemeOf(manifest) };
  if (healthCheck === manifest.health && scheme === schemeOf(manifest)) return manifest;
  const known = SCHEMES.find((each) => each === scheme);
  const isKnown =
    healthCheck === "tcp" || healthCheck === "http" || healthCheck === "none" || isHealthPath(healthCheck);
  // A later release, or somebody who changed the record, wrote words that are unknown here.
  if (known === undefined || !isKnown) return manifest;
  return { ...manifest, health: healthCheck, scheme: known };
}

/** Returns the scheme for HTTP requests to a server; a WebSocket server answers them too. */
export function webSchemeOf(scheme: Scheme): "http" | "https" {
  return scheme === "https" || scheme === "wss" ? "https" : "http";
}

/** `group`: separate sessions of people are spared; `all`: every process of the run is ended. */
export const END_SCOPES = ["group", "all"] as const;
/** @see END_SCOPES */
export type EndScope = (typeof END_SCOPES)[number];

/** The events of a hook. */
export const HOOK_EVENTS: readonly HookEvent[] = ["failed", "blocked", "unresponsive", "recovered", "ready", "stopped"];

/** The unit of a service manager that starts the profile. */
export interface InstalledService {
  readonly manager: "systemd-user" | "systemd" | "launchd";
  readonly unit: string;
  /** Whether it starts with the host, or with its user's session. */
  readonly boot: "auto" | "manual";
  /** Options that add to the unit's usual text. */
  readonly harden?: boolean;
  readonly watchdogMs?: number;
}

/** The file of a set that owns the profile: no other file may change it. */
export interface SetOrigin {
  /** Real and absolute. */
  readonly file: string;
  /** The prefix of the name in the file. */
  readonly prefix: string;
}

/** The record of one profile. It is a contract with other tools: fields are added, never renamed or removed. */
export interface Manifest {
  readonly schemaVersion: 1;
  readonly name: ProfileName;
  /** Never changes later. */
  readonly kind: KindName;
  readonly host: string;
  /** The base of the block `[port, port + span)`; the gateway listens here. */
  readonly port: number;
  readonly span: number;
  /** Every named port, `gateway` (the base) first. A derived range is named by its first port. */
  readonly ports: Readonly<Record<string, number>>;
  /** `command`: the argv with placeholders. `openclaw`: the program and its first arguments, when not `openclaw`. */
  readonly command?: readonly string[];
  /** @default the profile's workspace */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Names of variables taken from the starter's environment. */
  readonly passEnv?: readonly string[];
  readonly envFile?: string;
  /** `/path`, `http`, `tcp` or `none`. */
  readonly health: string;
  /** False: `PORT` and `HOST` are not set in a command gateway's environment. @default true */
  readonly portEnv?: boolean;
  /** From SIGTERM to SIGKILL. @default by kind */
  readonly stopTimeoutMs?: number;
  /** What its address is opened with. @default a WebSocket's */
  readonly scheme?: Scheme;
  /** Groups that it belongs to, without the `@`. */
  readonly groups?: readonly string[];
  /** Profiles that are started before it. */
  readonly after?: readonly string[];
  /** What a stop ends. @default by kind */
  readonly end?: EndScope;
  /** The gateway is restarted when it stays above this, in bytes. */
  readonly memoryRestartBytes?: number;
  /** The gateway can have no more than this, in bytes. */
  readonly memoryMaxBytes?: number;
  /** The gateway is restarted after so long without an answer. */
  readonly restartUnresponsiveMs?: number;
  /** Who is told of what: an absolute program path, an http(s) URL, or `env:NAME`. */
  readonly hooks?: Readonly<Partial<Record<HookEvent, string>>>;
  /** Who may own the profile across hosts. */
  readonly lease?: LeaseSettings;
  /** Who starts it, when a service manager does. */
  readonly service?: InstalledService;
  /** Which file of a set it belongs to. */
  readonly set?: SetOrigin;
  readonly protected: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Absolute. Only paths that differ from {@link profilePaths} are stored. */
  readonly paths: ProfilePaths;
}

/** Paths that may lie outside the profile's folder: an adopted gateway keeps its own. */
const MOVABLE = ["config", "state", "workspace"] as const;

/** A folder that kept its name when the profile was renamed; relative to the home, which may have another path elsewhere. */
const KEPT_FOLDER = /^profiles\/[a-z0-9][a-z0-9-]{0,31}$/;

/** An address or a name, without a port. It appears in addresses, tables and shell variables. */
const HOST_TEXT = /^(?![^:]*:\d+$)[A-Za-z0-9._:%-]+$/;

/** Returns whether a gateway can listen on `text`: an address or a name, without brackets or port. */
export function isHost(text: string): boolean {
  return text === DEFAULT_HOST || HOST_TEXT.test(text);
}

/**
 * Returns the manifest stored as `value`, with all its paths, or its fault as text. The object is completed in place, because
 * copying a thousand manifests takes measurable time.
 */
export function completeManifest(home: string, value: unknown): Manifest | string {
  if (!isRecord(value)) return `expected an object, got ${describe(value)}`;
  const found = firstFault(value);
  if (found !== undefined) return found;
  const name = value["name"] as ProfileName;
  const elsewhere = value["paths"];
  value["paths"] = isRecord(elsewhere) ? completePaths(home, name, elsewhere) : profilePaths(home, name);
  return value as unknown as Manifest;
}

/**
 * Returns when the manifest can be read back once it is written. One that cannot would make the whole registry unreadable.
 *
 * @throws {TypeError} naming the first field that is not.
 */
export function refuseUnsound(home: string, manifest: Manifest): void {
  const complete = completeManifest(home, JSON.parse(formatManifest(home, manifest)));
  if (typeof complete === "string") throw new TypeError(`profile ${manifest.name}: ${complete}`);
}

function completePaths(home: string, name: ProfileName, elsewhere: Record<string, unknown>): ProfilePaths {
  const { profile, ...moved } = elsewhere;
  const usual = typeof profile === "string" ? pathsInFolder(`${home}/${profile}`) : profilePaths(home, name);
  return { ...usual, ...moved };
}

/** Returns whether the profile was adopted in place: its gateway keeps its own directories, which we did not create. */
export function isAdopted({ paths }: Pick<Manifest, "paths">): boolean {
  return !paths.state.startsWith(`${paths.profile}/`);
}

/** Returns the manifest as one line of JSON for the registry. */
export function formatManifest(home: string, manifest: Manifest): string {
  const { paths } = manifest;
  const kept =
    paths.profile === profilePaths(home, manifest.name).profile
      ? []
      : [["profile", paths.profile.slice(home.length + 1)]];
  const usual = pathsInFolder(paths.profile);
  const elsewhere = MOVABLE.filter((key) => paths[key] !== usual[key]).map((key) => [key, paths[key]]);
  const written = [...kept, ...elsewhere];
  return JSON.stringify({ ...manifest, paths: written.length === 0 ? undefined : Object.fromEntries(written) });
}

/** Returns `manifest` on another base; every named port keeps its distance. Pure. */
export function withPort(manifest: Manifest, port: number): Manifest {
  const shift = port - manifest.port;
  const ports = Object.entries(manifest.ports).map(([label, value]) => [label, value + shift] as const);
  return { ...manifest, port, ports: Object.fromEntries(ports) };
}

/**
 * One straight pass for a thousand profiles in a program that has just begun. Each field is read once, nothing is made for a
 * sound one, and the checks of ports stand here: V8 optimizes a small function so soon that it costs more than it saves.
 */
function firstFault(value: Record<string, unknown>): string | undefined {
  if (value["schemaVersion"] !== 1) return fault("schemaVersion", "1", value["schemaVersion"]);
  const name = value["name"];
  if (typeof name !== "string" || !isProfileName(name)) return fault("name", "a profile name", name);
  const kind = value["kind"];
  if (!KIND_NAMES.includes(kind as KindName)) return fault("kind", "a kind of gateway", kind);
  const host = value["host"];
  if (typeof host !== "string" || !isHost(host)) return fault("host", "an address", host);
  const port = value["port"];
  if (!isPort(port)) return fault("port", "a port from 1 to 65535", port);
  const span = value["span"];
  // A whole number is all of its bits.
  if (typeof span !== "number" || (span & HIGHEST_PORT) !== span || span === 0 || port + span > HIGHEST_PORT + 1) {
    return fault("span", "a span that ends by port 65535", span);
  }
  const ports = value["ports"];
  if (!isRecord(ports)) return fault("ports", "names with ports", ports);
  for (const label in ports) {
    const each = ports[label];
    if (each !== port && !isPort(each)) return fault("ports", "names with ports", ports);
  }
  if (typeof value["health"] !== "string") return fault("health", "text", value["health"]);
  if (typeof value["protected"] !== "boolean") return fault("protected", "true or false", value["protected"]);
  if (typeof value["createdAt"] !== "string") return fault("createdAt", "a time", value["createdAt"]);
  const paths = value["paths"];
  if (paths !== undefined && !isMovedPaths(paths)) return fault("paths", "absolute paths", paths);
  return Object.keys(value).length > USUAL_FIELDS ? optionalFault(value) : undefined;
}

/** Those that {@link firstFault} has looked at and that no manifest lacks: one that has no more has no optional ones. */
const USUAL_FIELDS = 10;

type Check = readonly [expected: string, isSound: (value: unknown) => boolean];

const isText = (value: unknown): boolean => typeof value === "string";
const isAmount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 1;
const isOneOf = (words: readonly string[]) => (value: unknown) => words.some((word) => word === value);
const isTextsByName = (value: unknown): boolean => isRecord(value) && isTexts(Object.values(value));

/** Optional fields. An unknown field comes from a newer release and is left alone. */
const optionalFields: Readonly<Record<string, Check>> = {
  command: ["a list of arguments", isTexts],
  cwd: ["a path", isText],
  env: ["names with texts", isTextsByName],
  passEnv: ["a list of names", isTexts],
  envFile: ["a path", isText],
  portEnv: ["true or false", (value) => typeof value === "boolean"],
  stopTimeoutMs: ["a whole number of milliseconds", isAmount],
  scheme: [`one of ${SCHEMES.join(", ")}`, isOneOf(SCHEMES)],
  groups: ["a list of names", isTexts],
  after: ["a list of names", isTexts],
  end: ["group or all", isOneOf(END_SCOPES)],
  memoryRestartBytes: ["a whole number of bytes", isAmount],
  memoryMaxBytes: ["a whole number of bytes", isAmount],
  restartUnresponsiveMs: ["a whole number of milliseconds", isAmount],
  hooks: ["events with texts", isTextsByName],
  lease: ["a lease", isLease],
  service: ["an installed service", isService],
  set: ["a file and a prefix", (value) => isRecord(value) && isText(value["file"]) && isText(value["prefix"])],
};
const optionalNames = Object.keys(optionalFields);

function optionalFault(value: Record<string, unknown>): string | undefined {
  for (const name of optionalNames) {
    const given = value[name];
    if (given === undefined) continue;
    const check = optionalFields[name];
    if (check !== undefined && !check[1](given)) return fault(name, check[0], given);
  }
  return undefined;
}

function isLease(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { engine, endpoints, key, ttlSeconds, standby, credentialsFile } = value;
  const parts = engine === "etcd" && isTexts(endpoints) && endpoints.length > 0 && isText(key) && isAmount(ttlSeconds);
  return parts && typeof standby === "boolean" && (credentialsFile === undefined || isText(credentialsFile));
}

function isService(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { manager, unit, boot, watchdogMs } = value;
  const known = isOneOf(["systemd-user", "systemd", "launchd"])(manager) && isOneOf(["auto", "manual"])(boot);
  // The name becomes a path and an argument.
  return (
    known &&
    typeof unit === "string" &&
    /^[A-Za-z0-9][A-Za-z0-9_.@-]*$/.test(unit) &&
    (watchdogMs === undefined || isAmount(watchdogMs))
  );
}

function isMovedPaths(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return Object.entries(value).every(([key, path]) => {
    if (typeof path !== "string" || path === "") return false;
    return key === "profile" ? KEPT_FOLDER.test(path) : MOVABLE.some((known) => known === key);
  });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function fault(field: string, expected: string, got: unknown): string {
  return `${field}: expected ${expected}, got ${describe(got)}`;
}

function describe(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
}
