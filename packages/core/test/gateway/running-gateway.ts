/**
 * What the tests of this folder share: a real gateway on a port from the system, clients for it, and raw bytes on a TCP
 * connection for requests that no client library sends. Everything opened here is closed after the test.
 */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { ClientOptions } from "ws";
import { freePort } from "../../../../test/harness/ports.ts";
import { startGatewayHost } from "../../src/gateway/gateway-host.ts";
import type { Gateway } from "../../src/gateway/gateway-host.ts";
import type { GatewayHostOptions } from "../../src/gateway/gateway-options.ts";

export { freePort } from "../../../../test/harness/ports.ts";
export { until } from "../../../../test/harness/until.ts";

export const TOKEN = "test-token-with-forty-three-characters-0000";
/** The header line that lets a request in. */
export const BEARER = `Authorization: Bearer ${TOKEN}`;
const DEADLINE_MS = 60_000;

export async function startTestGateway(options: Partial<GatewayHostOptions> = {}): Promise<Gateway> {
  const port = options.port ?? (await freePort());
  const gateway = await startGatewayHost({ token: TOKEN, onWarning: () => undefined, ...options, port });
  onTestFinished(() => gateway.close());
  return gateway;
}

/** Resolves with the value of the first promise. After the deadline it rejects and says what it waited for. */
export async function within<T>(what: string, promise: Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not so after ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Opens a WebSocket; the token goes into the header unless other options are given. */
export async function openSocket(
  gateway: Pick<Gateway, "url">,
  options: ClientOptions & { readonly path?: string; readonly protocols?: string[] } = {},
): Promise<WebSocket> {
  const { path = "/", protocols = [], ...client } = options;
  const socket = new WebSocket(`${gateway.url}${path}`, protocols, {
    headers: protocols.length === 0 ? { authorization: `Bearer ${TOKEN}` } : {},
    ...client,
  });
  onTestFinished(() => socket.terminate());
  await within("the WebSocket to open", once(socket, "open"));
  return socket;
}

/** Returns the close code of the WebSocket. */
export async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = (await within("the WebSocket to close", once(socket, "close"))) as [number];
  return code;
}

/** Sends one message and returns the parsed reply. */
export async function exchange(socket: WebSocket, message: unknown): Promise<unknown> {
  const answer = within("an answer", once(socket, "message"));
  socket.send(typeof message === "string" ? message : JSON.stringify(message));
  const [data] = await answer;
  return JSON.parse(String(data));
}

let lastId = 0;

/** Calls a method and returns its result; rejects with the text of the error object. */
export async function call(socket: WebSocket, method: string, params?: unknown): Promise<unknown> {
  lastId += 1;
  const id = lastId;
  const answered = new Promise<unknown>((resolve, reject) => {
    const onMessage = (data: unknown): void => {
      const message = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: unknown };
      if (message.id !== id) return;
      socket.off("message", onMessage);
      if (message.error === undefined) resolve(message.result);
      else reject(new Error(JSON.stringify(message.error)));
    };
    socket.on("message", onMessage);
  });
  socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  return within(`the answer to ${method}`, answered);
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Opens a plain TCP connection to the gateway. */
export async function openRaw(gateway: Pick<Gateway, "host" | "port">): Promise<Socket> {
  const socket = connect({ host: gateway.host, port: gateway.port });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await within("the connection", once(socket, "connect"));
  return socket;
}

/** Sends these lines as a request head, and reads until the gateway closes the connection or the body is complete. */
export async function sendRaw(gateway: Pick<Gateway, "host" | "port">, lines: readonly string[]): Promise<RawAnswer> {
  const socket = await openRaw(gateway);
  let text = "";
  const answered = new Promise<void>((resolve) => {
    socket.on("close", resolve);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const [head = "", body] = text.split("\r\n\r\n", 2);
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? Number.NaN);
      if (head.startsWith("HTTP/1.1 101") || (body !== undefined && body.length >= length)) resolve();
    });
  });
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  await within(`an answer to ${lines[0]}`, answered);
  socket.destroy();
  const [headers = "", body = ""] = text.split("\r\n\r\n", 2);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(headers)?.[1] ?? 0), headers, body };
}

/** The head of a WebSocket upgrade, with the right Host, no token, and these lines. */
export function upgradeHead(gateway: Gateway, ...lines: readonly string[]): string[] {
  const host = lines.some((line) => /^host:/i.test(line)) ? [] : [`Host: 127.0.0.1:${gateway.port}`];
  return [
    "GET / HTTP/1.1",
    ...host,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...lines,
  ];
}
