/**
 * What a gateway host may be told, every default in one literal, and the check that refuses a wrong value before
 * anything is opened or bound. After `readHostOptions` the rest of the room trusts its settings.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebSocket } from "ws";
import { LockkeeperError } from "../errors.ts";
import { refuseWeakToken } from "./access-token.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "../host/address.ts";

/** Answers a request that the guard let through and that is not for a path of the gateway's own. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Takes over a WebSocket that the guard let through. */
export type ConnectionHandler = (socket: WebSocket, request: IncomingMessage) => void | Promise<void>;

/** How a gateway host is set up. Only `token` is required. */
export interface GatewayHostOptions {
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
  /** Called for every path that is not the gateway's own. @default answers 404 */
  readonly onRequest?: RequestHandler | undefined;
  /** Called for every WebSocket, on any path. @default JSON-RPC 2.0 with topics, at `/` */
  readonly onConnection?: ConnectionHandler | undefined;
  /** Told in plain words what the owner should know: a wide bind, a handler that failed. @default process.emitWarning */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Aborts the start; no effect afterwards. */
  readonly signal?: AbortSignal | undefined;
  /** How long `close()` lets clients finish before it cuts them off. @default 2_000 */
  readonly closeTimeoutMs?: number | undefined;
  /** How often peers are pinged; one that leaves two pings unanswered is dropped. @default 15_000 */
  readonly heartbeatMs?: number | undefined;
  /** Unsent bytes above which a slow reader is cut off. @default 4_194_304 */
  readonly maxBacklogBytes?: number | undefined;
}

/** {@link GatewayHostOptions}, checked, with every default filled in. */
export interface HostSettings {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly onRequest: RequestHandler | undefined;
  readonly onConnection: ConnectionHandler | undefined;
  readonly onWarning: (message: string) => void;
  readonly signal: AbortSignal | undefined;
  readonly closeTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly maxBacklogBytes: number;
}

/** Longest delay that a timer takes. Source: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Returns the settings, or throws before anything was opened.
 *
 * @throws {LockkeeperError} PORT_INVALID when the port is no integer from 1 to 65535.
 * @throws {LockkeeperError} OPTION_INVALID when any other value is not what it must be.
 */
export function readHostOptions(options: GatewayHostOptions): HostSettings {
  const settings: HostSettings = {
    host: options.host ?? DEFAULT_HOST,
    port: options.port ?? DEFAULT_PORT,
    token: options.token,
    allowedHosts: options.allowedHosts ?? [],
    allowedOrigins: options.allowedOrigins ?? [],
    onRequest: options.onRequest,
    onConnection: options.onConnection,
    onWarning: options.onWarning ?? ((message) => process.emitWarning(message, "LockkeeperWarning")),
    signal: options.signal,
    closeTimeoutMs: options.closeTimeoutMs ?? 2_000,
    heartbeatMs: options.heartbeatMs ?? 15_000,
    maxBacklogBytes: options.maxBacklogBytes ?? 4 * 1_024 * 1_024,
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
  expect("onWarning", settings.onWarning, "a function", isOptionalFunction);
  for (const name of ["closeTimeoutMs", "heartbeatMs"] as const) {
    expect(name, settings[name], "milliseconds above 0", (value) => isIntegerFrom(1, value, MAX_TIMER_MS));
  }
  expect("maxBacklogBytes", settings.maxBacklogBytes, "bytes above 0", (value) =>
    isIntegerFrom(1, value, Number.MAX_SAFE_INTEGER),
  );
  return settings;
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
