/**
 * The HTTP and WebSocket host of one gateway, and its life: starting, listening, closing, closed. It owns the server's sockets
 * and nothing on disk. Every request and every upgrade passes the guard first, and only here. Takes no lock: `startGateway`
 * does, or the keeper that spawned this process has it already.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket, WebSocketServer } from "ws";
import { GATEWAY_PROTOCOL } from "./access-token.ts";
import { refuseRequest, refuseUpgrade, sendJson } from "./answers.ts";
import { trackConnections } from "./connections.ts";
import type { Connections } from "./connections.ts";
import { listenExclusively } from "./exclusive-listener.ts";
import { standInFront } from "./front-door.ts";
import type { BehindDoor, Expectation } from "./front-door.ts";
import { readHostOptions } from "./gateway-options.ts";
import type { GatewayHostOptions, HostSettings } from "./gateway-options.ts";
import { guardSockets } from "./guarded-socket.ts";
import { gatewayUrl, isWildcardHost } from "../host/address.ts";
import { watchPeers } from "./peer-watch.ts";
import type { PeerWatch } from "./peer-watch.ts";
import { guardRequests } from "./request-guard.ts";
import type { RequestGuard } from "./request-guard.ts";
import { createRpcService } from "./rpc-service.ts";
import type { RpcService } from "./rpc-service.ts";

/** In this order, each at most once. While `closing`, running requests are finished and no new ones are taken. */
export type GatewayState = "starting" | "listening" | "closing" | "closed";

/** A gateway that serves until it is closed. */
export interface Gateway {
  /** `ws://127.0.0.1:18789`, as bound. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly state: GatewayState;
  /** Fulfilled when it has stopped serving, for any reason. Never rejected. */
  readonly closed: Promise<void>;
  /**
   * Stops accepting, closes WebSockets with 1001, lets requests finish, and cuts off the rest after `closeTimeoutMs`. The port
   * is free when it returns. Calling it again returns the same promise.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How often Node checks for heads and requests that take too long. */
const CHECK_INTERVAL_MS = 1_000;
/** The most reads for one frame: the longest message needs no more, unless it is sent a few bytes at a time. */
const MAX_BUFFERED_CHUNKS = 4_096;

/** Source: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const GOING_AWAY = 1_001;
/** @see GOING_AWAY */
const INTERNAL_ERROR = 1_011;

/**
 * Returns a gateway that listens. No lock is taken.
 *
 * @throws {TypeError} for an option that does not exist, naming the nearest, or that is wrong; for a `server` that listens already.
 *   Nothing was touched.
 * @throws {GatewayLockError} PORT_IN_USE, BIND_FAILED when the address cannot be bound.
 * @throws {LockkeeperError} ABORTED when `signal` aborts before it listens.
 */
export async function startGatewayHost(options: GatewayHostOptions): Promise<Gateway> {
  return hostGateway(readHostOptions(options));
}

/** {@link startGatewayHost} for settings that were checked already. */
export async function hostGateway(settings: HostSettings): Promise<Gateway> {
  // Loaded here, so that an import of this package for its lock alone does not load WebSockets.
  const ws = await import("ws");
  const onFault = (error: unknown): void => {
    settings.onWarning(`${gatewayUrl(settings.host, settings.port)}: a WebSocket's listener failed: ${String(error)}`);
  };
  const sockets = new ws.WebSocketServer({
    noServer: true,
    maxPayload: settings.maxMessageBytes,
    maxFragments: settings.maxFragments,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
    perMessageDeflate: false,
    WebSocket: guardSockets(ws.WebSocket, onFault),
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
  readonly #behind: BehindDoor;
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
    this.#guard = guardRequests(settings);
    this.#peers = watchPeers(settings);
    this.#rpc = createRpcService(this.#peers, settings, () => this.#describe());
    this.#sockets = sockets;
    this.#server = limitServer(settings.server ?? newServer(settings), settings);
    this.#connections = trackConnections(this.#server, settings);
    this.closed = new Promise((resolve) => {
      this.#server.once("close", () => {
        this.#state = "closed";
        clearInterval(this.#heartbeat);
        resolve();
      });
    });
    this.#behind = standInFront(this.#server, {
      request: (request, response, expectation) => void this.#answer(request, response, expectation),
      upgrade: (request, stream, head) => this.#upgrade(request, stream, head),
    });
  }

  get state(): GatewayState {
    return this.#state;
  }

  async listen(): Promise<void> {
    const { host, port, signal, heartbeatMs, onWarning } = this.#settings;
    await listenExclusively(this.#server, { host, port, signal });
    this.#server.on("error", (error) => onWarning(`${this.url}: a connection could not be accepted: ${error.message}`));
    this.#heartbeat = setInterval(() => this.#peers.sweep(), heartbeatMs).unref();
    this.#state = "listening";
    // A name may stand for every address too, so the bound address is checked, not the requested one.
    const bound = this.#server.address();
    if (typeof bound === "object" && bound !== null && isWildcardHost(bound.address)) {
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
    if (this.#state === "closed") return;
    this.#state = "closing";
    clearInterval(this.#heartbeat);
    const cutOff = setTimeout(() => this.#connections.dropAll(), this.#settings.closeTimeoutMs);
    this.#server.close();
    this.#connections.dropWaiting();
    for (const socket of this.#sockets.clients) socket.close(GOING_AWAY, "the gateway is closing");
    await this.closed;
    clearTimeout(cutOff);
  }

  /** Never rejects: a failure costs only this connection. */
  async #answer(request: IncomingMessage, response: ServerResponse, expectation: Expectation): Promise<void> {
    try {
      if (this.#connections.arrived(request.socket) === "cut-off") return;
      const path = pathOf(request);
      const access = PROBE_PATHS.has(path) ? "open" : "guarded";
      const verdict = this.#guard(request, access);
      // A kept-alive connection would delay the closing server until its deadline.
      response.once("close", () => {
        this.#connections.answered(request.socket);
        if (this.#state === "closing") this.#server.closeIdleConnections();
      });
      if (verdict.verdict === "refused") refuseRequest(response, verdict);
      else if (access === "open") this.#answerOwnPath(request, response, path);
      else await this.#answerEntitled(request, response, expectation);
    } catch (error) {
      this.#settings.onWarning(`${this.url}: a request could not be answered: ${String(error)}`);
      request.socket.destroy();
    }
  }

  async #answerEntitled(request: IncomingMessage, response: ServerResponse, expectation: Expectation): Promise<void> {
    const path = pathOf(request);
    const begun = this.#connections.begin(request.socket);
    if (begun === undefined) {
      refuseRequest(response, { status: 503, reason: "too many requests at once", waitMs: 1_000 });
      return;
    }
    response.once("close", begun.end);
    if (path === "/status") this.#answerOwnPath(request, response, path);
    else if (this.#state !== "listening") sendJson(response, 503, { error: `the gateway is ${this.#state}` });
    else await this.#handOver(request, response, expectation);
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

  async #handOver(request: IncomingMessage, response: ServerResponse, expectation: Expectation): Promise<void> {
    const { server, onRequest, onWarning } = this.#settings;
    try {
      if (server !== undefined) {
        this.#behind.request(request, response, expectation);
      } else if (expectation === "unknown") {
        sendJson(response, 417, { error: "this expectation is not known here" });
      } else if (onRequest === undefined) {
        sendJson(response, 404, { error: "not found" });
      } else {
        if (expectation === "continue") response.writeContinue();
        await onRequest(request, response);
      }
    } catch (error) {
      onWarning(`${this.url}: onRequest failed for ${request.method} ${pathOf(request)}: ${String(error)}`);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: "the request handler failed" });
    }
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (this.#connections.arrived(request.socket) === "cut-off") return;
    const verdict = this.#guard(request, "guarded");
    const others = this.#behind.takesUpgrades();
    if (verdict.verdict === "refused") {
      refuseUpgrade(stream, verdict);
    } else if (this.#state !== "listening") {
      refuseUpgrade(stream, { status: 503, reason: `the gateway is ${this.#state}` });
    } else if (!others && this.#settings.onConnection === undefined && pathOf(request) !== "/") {
      refuseUpgrade(stream, { status: 404, reason: "not found" });
    } else if (this.#connections.upgrade(request.socket) === "too-many") {
      refuseUpgrade(stream, { status: 503, reason: "too many WebSockets", waitMs: 1_000 });
    } else if (others) {
      this.#behind.upgrade(request, stream, head);
    } else {
      this.#sockets.handleUpgrade(request, stream, head, (socket) => void this.#connect(socket, request, stream));
    }
  }

  async #connect(socket: WebSocket, request: IncomingMessage, stream: Duplex): Promise<void> {
    this.#peers.watch(socket, stream);
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
      unsentBytes: this.#peers.unsentBytes,
    };
  }
}

/** The paths for probes, and the word in each healthy answer. At most 64 bytes in all. */
const PROBE_PATHS: ReadonlyMap<string, string> = new Map([
  ["/healthz", "live"],
  ["/readyz", "ready"],
]);

function newServer({ maxHeaderBytes }: HostSettings): Server {
  return createServer({
    maxHeaderSize: maxHeaderBytes,
    // The guard itself refuses a missing Host, so that all refusals look the same.
    requireHostHeader: false,
  });
}

/** Settings that still apply to a server made by the author; Node reads them when the server begins to listen. */
function limitServer(server: Server, settings: HostSettings): Server {
  return Object.assign(server, {
    headersTimeout: settings.headersTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveMs,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    // Node silently drops header lines beyond this; with one line more than allowed, the guard sees that there are too many.
    maxHeadersCount: settings.maxHeaderLines + 1,
  });
}

function pathOf(request: IncomingMessage): string {
  return request.url?.split("?", 1)[0] ?? "";
}
