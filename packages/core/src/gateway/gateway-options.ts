/**
 * The options of a gateway host, and the check that refuses a wrong value before anything is opened or bound. After
 * `readHostOptions` the rest of the room trusts the settings.
 */
import { Server } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebSocket } from "ws";
import { isIntegerFrom, optionCheck, refuseUnknownOptions } from "../wrong-options.ts";
import { plainLine } from "../plain-text.ts";
import { WARNING_NAME } from "../warning.ts";
import { refuseWeakToken } from "./access-token.ts";
import { DEFAULT_LIMITS, highestLimit, LIMIT_NAMES } from "./gateway-limits.ts";
import type { GatewayLimits } from "./gateway-limits.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "../host/address.ts";

/** Answers a request that passed the guard and is not for one of the gateway's own paths. A returned promise is awaited. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Takes over a WebSocket that passed the guard. A returned promise is awaited. */
export type ConnectionHandler = (socket: WebSocket, request: IncomingMessage) => unknown;

/** The options of a gateway host. Only `token` is required. Every limit of {@link GatewayLimits} is an option too. */
export interface GatewayHostOptions extends GatewayLimitOptions {
  /**
   * The one address to bind. A wildcard (`0.0.0.0`, `::`) is bound only when requested here, with a warning. @default
   * "127.0.0.1"
   */
  readonly host?: string | undefined;
  /** 1 to 65535. @default 18789 */
  readonly port?: number | undefined;
  /** The token of every client: 32 to 256 characters of base64url. 43 of them hold 256 random bits. */
  readonly token: string;
  /** Names accepted in the Host header besides loopback and `host`. One without a port means the gateway's port. @default [] */
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
  /** Called with a sentence for the owner: a wide bind, a handler that failed, a refused source. @default process.emitWarning */
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
 * @param known all options of `caller`, which may take more than those of a host.
 * @throws {TypeError} for an option that does not exist, naming the nearest; for a value that is not what it must be; for a
 *   `server` that listens already.
 */
export function readHostOptions(
  options: GatewayHostOptions,
  caller = "startGatewayHost",
  known: Readonly<Record<string, true>> = KNOWN_HOST_OPTIONS,
): HostSettings {
  refuseUnknownOptions(caller, options, known);
  const settings: HostSettings = {
    ...readLimits(caller, options),
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
  const expect = optionCheck(caller);
  expect("port", settings.port, "an integer from 1 to 65535", (port) => isIntegerFrom(1, port, 65_535));
  expect("host", settings.host, "an IP address or a host name, without brackets and port", isHostName);
  refuseWeakToken(caller, settings.token);
  expect("allowedHosts", settings.allowedHosts, "a list of host names as in a Host header", isListOf(isHostHeader));
  expect(
    "allowedOrigins",
    settings.allowedOrigins,
    "a list of origins such as https://app.example",
    isListOf(isOrigin),
  );
  expect("onRequest", settings.onRequest, "a function", isOptionalFunction);
  expect("onConnection", settings.onConnection, "a function", isOptionalFunction);
  expect("onWarning", options.onWarning, "a function", isOptionalFunction);
  refuseWrongServer(caller, settings);
  return settings;
}

/** A warning may contain input of a client, so it is kept on one line, and short. */
const MAX_WARNING_LENGTH = 2_000;

function plainWarner(tell: (message: string) => void): (message: string) => void {
  return (message) => tell(plainLine(message.slice(0, MAX_WARNING_LENGTH)));
}

function readLimits(caller: string, options: GatewayLimitOptions): GatewayLimits {
  const limits: Record<keyof GatewayLimits, number> = { ...DEFAULT_LIMITS };
  const expect = optionCheck(caller);
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

/** Returns the test for a list of which each passes `isRight`. */
function isListOf(isRight: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => Array.isArray(value) && value.every((each) => isRight(each));
}

function isOptionalFunction(value: unknown): boolean {
  return value === undefined || typeof value === "function";
}

function isHostName(value: unknown): boolean {
  return typeof value === "string" && /^[A-Za-z0-9._:%-]+$/.test(value) && !/^[^:]*:[0-9]+$/.test(value);
}

/** What may stand in a Host header, as a source of regular expressions. */
export const HOST_HEADER_PATTERN = "^(?:[A-Za-z0-9._\\-]*[A-Za-z0-9_\\-]|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?$";
/** An origin, likewise. Neither `*` nor `null` is one: the first is everybody, the other any sandboxed page. */
export const ORIGIN_PATTERN = "^[a-z][a-z0-9+.\\-]*://[^\\s/?#*@\\\\]+$";

function isHostHeader(value: unknown): boolean {
  return typeof value === "string" && new RegExp(HOST_HEADER_PATTERN, "u").test(value);
}

function isOrigin(value: unknown): boolean {
  return typeof value === "string" && new RegExp(ORIGIN_PATTERN, "u").test(value);
}
