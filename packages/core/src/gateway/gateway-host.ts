/**
 * The HTTP and WebSocket host of one gateway, and its life: starting, listening, closing, closed. It owns the
 * server's sockets and nothing on disk. Every request and every upgrade passes the guard first, here and nowhere
 * else. Takes no lock: `startGateway` does, or the keeper that spawned this process already has.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket, WebSocketServer } from "ws";
import { GATEWAY_PROTOCOL } from "./access-token.ts";
import { refuseRequest, refuseUpgrade, sendJson } from "./answers.ts";
import { trackConnections, type Connections } from "./connections.ts";
import { listenExclusively } from "./exclusive-listener.ts";
import { readHostOptions, type GatewayHostOptions, type HostSettings } from "./gateway-options.ts";
import { gatewayUrl, isWildcardHost } from "../host/address.ts";
import { peerWatch, type PeerWatch } from "./peer-watch.ts";
import { requestGuard, type RequestGuard } from "./request-guard.ts";
import { rpcService, type RpcService } from "./rpc-service.ts";

/** In this order, each at most once. While `closing`, what was begun is finished and nothing new is taken. */
export type GatewayState = "starting" | "listening" | "closing" | "closed";

/** A gateway that serves until it is closed. */
export interface Gateway {
  /** `ws://127.0.0.1:18789`, as bound. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly state: GatewayState;
  /** Fulfilled once it serves no more, for whatever reason. Never rejected. */
  readonly closed: Promise<void>;
  /**
   * Stops accepting, closes WebSockets with 1001, lets requests finish, cuts off what is left after
   * `closeTimeoutMs`. The port is free when it returns. Calling it again returns the same promise.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const HTTP_LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16_384,
  // The guard itself refuses a missing Host, so that every refusal is the same.
  requireHostHeader: false,
} as const;

const WEBSOCKET_LIMITS = { maxPayload: 1_048_576, perMessageDeflate: false } as const;

/** Source: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const GOING_AWAY = 1_001;
/** @see GOING_AWAY */
const INTERNAL_ERROR = 1_011;

/**
 * Returns a gateway that listens. No lock is taken.
 *
 * @throws {LockkeeperError} OPTION_INVALID, PORT_INVALID when an option is wrong; nothing was bound.
 * @throws {GatewayLockError} PORT_IN_USE, BIND_FAILED when the address cannot be had.
 * @throws {LockkeeperError} ABORTED when `signal` aborts before it listens.
 */
export async function startGatewayHost(options: GatewayHostOptions): Promise<Gateway> {
  const settings = readHostOptions(options);
  // Here and not above: who imports this package for its lock alone does not pay for WebSockets.
  const { WebSocketServer } = await import("ws");
  const sockets = new WebSocketServer({
    noServer: true,
    ...WEBSOCKET_LIMITS,
    handleProtocols: (offered) => offered.has(GATEWAY_PROTOCOL) && GATEWAY_PROTOCOL,
  });
  const host = new GatewayHost(settings, sockets);
  await host.listen();
  return host;
}

class GatewayHost implements Gateway {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly closed: Promise<void>;
  readonly #settings: HostSettings;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #sockets: WebSocketServer;
  readonly #peers: PeerWatch;
  readonly #rpc: RpcService;
  readonly #guard: RequestGuard;
  readonly #startedAt: number = performance.now();
  #state: GatewayState = "starting";
  #heartbeat: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: HostSettings, sockets: WebSocketServer) {
    this.#settings = settings;
    this.host = settings.host;
    this.port = settings.port;
    this.url = gatewayUrl(settings.host, settings.port);
    this.#guard = requestGuard(settings);
    this.#peers = peerWatch(settings);
    this.#rpc = rpcService(this.#peers, () => this.#describe());
    this.#sockets = sockets;
    this.#server = createServer(HTTP_LIMITS);
    this.#connections = trackConnections(this.#server);
    this.closed = new Promise((resolve) => {
      this.#server.once("close", () => {
        this.#state = "closed";
        resolve();
      });
    });
    const answer = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response);
    this.#server.on("request", answer);
    // Without this listener Node invites the body before the guard has seen the head.
    this.#server.on("checkContinue", answer);
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get state(): GatewayState {
    return this.#state;
  }

  async listen(): Promise<void> {
    const { host, port, signal, heartbeatMs, onWarning } = this.#settings;
    await listenExclusively(this.#server, { host, port, signal });
    this.#server.on("error", (error) => onWarning(`${this.url}: a connection could not be accepted: ${error.message}`));
    this.#heartbeat = setInterval(() => this.#peers.sweep(this.#sockets.clients), heartbeatMs).unref();
    this.#state = "listening";
    if (isWildcardHost(host)) {
      onWarning(`${this.url}: bound to every address of this machine; whoever reaches it needs only the token`);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(): Promise<void> {
    this.#state = "closing";
    clearInterval(this.#heartbeat);
    const cutOff = setTimeout(() => this.#connections.dropAll(), this.#settings.closeTimeoutMs);
    this.#server.close();
    this.#connections.dropWaiting();
    for (const socket of this.#sockets.clients) socket.close(GOING_AWAY, "the gateway is closing");
    await this.closed;
    clearTimeout(cutOff);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#connections.arrived(request.socket);
    const path = pathOf(request);
    const verdict = this.#guard(request, PROBE_PATHS.has(path) ? "open" : "guarded");
    // A connection kept alive would hold the closing server until its deadline.
    response.once("close", () => {
      if (this.#state === "closing") this.#server.closeIdleConnections();
    });
    if (verdict.verdict === "refused") {
      refuseRequest(response, verdict);
    } else if (PROBE_PATHS.has(path) || path === "/status") {
      this.#answerOwnPath(request, response, path);
    } else if (this.#state !== "listening") {
      sendJson(response, 503, { error: `the gateway is ${this.#state}` });
    } else {
      await this.#handOver(request, response);
    }
  }

  #answerOwnPath(request: IncomingMessage, response: ServerResponse, path: string): void {
    const ok = this.#state === "listening";
    if (request.method !== "GET" && request.method !== "HEAD") {
      sendJson(response, 405, { error: "only GET and HEAD" }, { allow: "GET, HEAD" });
    } else if (path === "/status") {
      sendJson(response, ok ? 200 : 503, { ok, ...this.#describe() });
    } else {
      sendJson(response, ok ? 200 : 503, { ok, status: ok ? PROBE_PATHS.get(path) : this.#state });
    }
  }

  async #handOver(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { onRequest, onWarning } = this.#settings;
    if (onRequest === undefined) {
      sendJson(response, 404, { error: "not found" });
      return;
    }
    if (request.headers.expect !== undefined) response.writeContinue();
    try {
      await onRequest(request, response);
    } catch (error) {
      onWarning(`${this.url}: onRequest failed for ${request.method} ${pathOf(request)}: ${String(error)}`);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: "the request handler failed" });
    }
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.#connections.arrived(request.socket);
    const verdict = this.#guard(request, "guarded");
    if (verdict.verdict === "refused") {
      refuseUpgrade(stream, verdict);
    } else if (this.#state !== "listening") {
      refuseUpgrade(stream, { status: 503, reason: `the gateway is ${this.#state}` });
    } else if (this.#settings.onConnection === undefined && pathOf(request) !== "/") {
      refuseUpgrade(stream, { status: 404, reason: "not found" });
    } else {
      this.#sockets.handleUpgrade(request, stream, head, (socket) => void this.#connect(socket, request));
    }
  }

  async #connect(socket: WebSocket, request: IncomingMessage): Promise<void> {
    this.#peers.watch(socket);
    const { onConnection, onWarning } = this.#settings;
    if (onConnection === undefined) {
      this.#rpc.serve(socket);
      return;
    }
    try {
      await onConnection(socket, request);
    } catch (error) {
      onWarning(`${this.url}: onConnection failed: ${String(error)}`);
      socket.close(INTERNAL_ERROR, "the connection handler failed");
    }
  }

  #describe(): Readonly<Record<string, unknown>> {
    return {
      state: this.#state,
      url: this.url,
      protocol: GATEWAY_PROTOCOL,
      pid: process.pid,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      connections: this.#sockets.clients.size,
      topics: this.#rpc.topicCount,
    };
  }
}

/** The paths for probes, and the word that each answers with while all is well. At most 64 bytes in all. */
const PROBE_PATHS: ReadonlyMap<string, string> = new Map([
  ["/healthz", "live"],
  ["/readyz", "ready"],
]);

function pathOf(request: IncomingMessage): string {
  return request.url?.split("?", 1)[0] ?? "";
}
