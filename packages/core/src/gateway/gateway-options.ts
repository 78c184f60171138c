/**
 * What a gateway host may be told, and the check that refuses a wrong value before anything is opened or bound. After
 * `readHostOptions` the rest of the room trusts its settings.
 */
import { Server } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebSocket } from "ws";
import { LockkeeperError } from "../errors.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import { plainLine } from "../plain-text.ts";
import { WARNING_NAME } from "../warning.ts";
import { refuseWeakToken } from "./access-token.ts";
import { DEFAULT_LIMITS, highestLimit, LIMIT_NAMES } from "./gateway-limits.ts";
import type { GatewayLimits } from "./gateway-limits.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "../host/address.ts";

/** Answers a request that the guard let through and that is not for a path of the gateway's own. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Takes over a WebSocket that the guard let through. */
export type ConnectionHandler = (socket: WebSocket, request: IncomingMessage) => void | Promise<void>;

/** How a gateway host is set up. Only `token` is required. Every limit of {@link GatewayLimits} is an option too. */
export interface GatewayHostOptions extends GatewayLimitOptions {
  /** The one address to bind. A wildcard (`0.0.0.0`, `::`) is bound only when asked for here, and warned of. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** 1 to 65535. @default 18789 */
  readonly port?: number | undefined;
  /** What every client must show: 32 to 256 characters of base64url. 43 of them hold 256 random bits. */
  readonly token: string;
  /** Names accepted in the Host header beside loopback and `host`. One without a port means the gateway's port. @default [] */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins whose pages may connect (`https://app.example`), compared byte for byte. @default [] */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * A server of your own that does not listen yet. The guard and the limits come in front of all its listeners, present and
   * future; the gateway binds it and closes it. Excludes `onRequest`. @default a server is made
   */
  readonly server?: Server | undefined;
  /** Called for every path that is not the gateway's own. @default answers 404 */
  readonly onRequest?: RequestHandler | undefined;
  /** Called for every WebSocket, on any path. @default JSON-RPC 2.0 with topics, at `/` */
  readonly onConnection?: ConnectionHandler | undefined;
  /** Told in plain words what the owner should know: a wide bind, a handler that failed, a source that is refused. @default process.emitWarning */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Aborts the start; no effect afterwards. */
  readonly signal?: AbortSignal | undefined;
}

/** @see GatewayLimits */
export type GatewayLimitOptions = { readonly [Name in keyof GatewayLimits]?: number | undefined };

/** {@link GatewayHostOptions}, checked, with every default filled in. */
export interface HostSettings extends GatewayLimits {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly server: Server | undefined;
  readonly onRequest: RequestHandler | undefined;
  readonly onConnection: ConnectionHandler | undefined;
  readonly onWarning: (message: string) => void;
  readonly signal: AbortSignal | undefined;
}

const HOST_OPTIONS: Readonly<Record<Exclude<keyof GatewayHostOptions, keyof GatewayLimits>, true>> = {
  host: true,
  port: true,
  token: true,
  allowedHosts: true,
  allowedOrigins: true,
  server: true,
  onRequest: true,
  onConnection: true,
  onWarning: true,
  signal: true,
};

/** Every option of a gateway host. */
export const KNOWN_HOST_OPTIONS: Readonly<Record<string, true>> = {
  ...HOST_OPTIONS,
  ...Object.fromEntries(LIMIT_NAMES.map((name) => [name, true])),
};

/**
 * Returns the settings, or throws before anything was opened.
 *
 * @param known what `caller` takes beside the options of a host is in it too.
 * @throws {LockkeeperError} PORT_INVALID when the port is no integer from 1 to 65535.
 * @throws {LockkeeperError} OPTION_INVALID when any other value is not what it must be.
 * @throws {TypeError} for an option that does not exist, naming the nearest; for a `server` that listens already.
 */
export function readHostOptions(
  options: GatewayHostOptions,
  caller = "startGatewayHost",
  known: Readonly<Record<string, true>> = KNOWN_HOST_OPTIONS,
): HostSettings {
  refuseUnknownOptions(caller, options, known);
  const settings: HostSettings = {
    ...readLimits(options),
    host: options.host ?? DEFAULT_HOST,
    port: options.port ?? DEFAULT_PORT,
    token: options.token,
    allowedHosts: options.allowedHosts ?? [],
    allowedOrigins: options.allowedOrigins ?? [],
    server: options.server,
    onRequest: options.onRequest,
    onConnection: options.onConnection,
    onWarning: plainWarner(options.onWarning ?? ((message) => process.emitWarning(message, WARNING_NAME))),
    signal: options.signal,
  };
  if (!isIntegerFrom(1, settings.port, 65_535)) {
    throw new LockkeeperError(
      "PORT_INVALID",
      `port: expected an integer from 1 to 65535, got ${shown(settings.port)}`,
      {
        hint: "Choose a port that is free and not below 1024.",
      },
    );
  }
  expect("host", settings.host, "an IP address or a host name, without brackets and port", isHostName);
  refuseWeakToken(settings.token);
  expectEach("allowedHosts", settings.allowedHosts, "a host name as in a Host header", isHostHeader);
  expectEach("allowedOrigins", settings.allowedOrigins, "an origin such as https://app.example", isOrigin);
  expect("onRequest", settings.onRequest, "a function", isOptionalFunction);
  expect("onConnection", settings.onConnection, "a function", isOptionalFunction);
  expect("onWarning", options.onWarning, "a function", isOptionalFunction);
  refuseWrongServer(caller, settings);
  return settings;
}

/** What a client sent may be part of a warning: it stays on one line, and short. */
const MAX_WARNING_LENGTH = 2_000;

function plainWarner(tell: (message: string) => void): (message: string) => void {
  return (message) => tell(plainLine(message.slice(0, MAX_WARNING_LENGTH)));
}

function readLimits(options: GatewayLimitOptions): GatewayLimits {
  const limits: Record<keyof GatewayLimits, number> = { ...DEFAULT_LIMITS };
  for (const name of LIMIT_NAMES) {
    const given = options[name];
    if (given === undefined) continue;
    const highest = highestLimit(name);
    expect(name, given, `a whole number from 1 to ${highest}`, (value) => isIntegerFrom(1, value, highest));
    limits[name] = given;
  }
  return limits;
}

function refuseWrongServer(caller: string, { server, onRequest }: HostSettings): void {
  if (server === undefined) return;
  if (!(server instanceof Server)) throw new TypeError(`${caller}: expected server to be a node:http Server`);
  if (server.listening) throw new TypeError(`${caller}: the server listens already; the lock comes before the bind`);
  if (onRequest !== undefined) throw new TypeError(`${caller}: a server has request listeners: leave onRequest away`);
}

function expect(name: string, value: unknown, expected: string, isRight: (value: unknown) => boolean): void {
  if (isRight(value)) return;
  throw new LockkeeperError("OPTION_INVALID", `${name}: expected ${expected}, got ${shown(value)}`, {
    hint: `Correct the option ${name}.`,
  });
}

function expectEach(name: string, values: unknown, expected: string, isRight: (value: unknown) => boolean): void {
  expect(name, values, "an array", Array.isArray);
  if (Array.isArray(values)) for (const value of values) expect(name, value, expected, isRight);
}

function isIntegerFrom(lowest: number, value: unknown, highest: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= lowest && value <= highest;
}

function isOptionalFunction(value: unknown): boolean {
  return value === undefined || typeof value === "function";
}

function isHostName(value: unknown): boolean {
  return typeof value === "string" && /^[A-Za-z0-9._:%-]+$/.test(value) && !/^[^:]*:[0-9]+$/.test(value);
}

function isHostHeader(value: unknown): boolean {
  return (
    typeof value === "string" && /^(?:[A-Za-z0-9._-]*[A-Za-z0-9_-]|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/.test(value)
  );
}

/** Neither `*` nor `null` is an origin: the one is everybody, the other any sandboxed page. */
function isOrigin(value: unknown): boolean {
  return typeof value === "string" && /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#*@\\]+$/.test(value);
}

function shown(value: unknown): string {
  return typeof value === "string" || Array.isArray(value) ? JSON.stringify(value).slice(0, 100) : String(value);
}
