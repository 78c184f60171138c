/**
 * How the gateway host answers by itself: small JSON bodies that no cache keeps, for requests and for upgrades alike.
 * It decides nothing. Used by the gateway host only.
 */
import { STATUS_CODES } from "node:http";
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Why something is refused. `waitMs` tells the client when to try again. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly waitMs?: number;
}

/** Answers with `body` as JSON, whole and at once. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { ...headersFor(text), ...headers });
  response.end(text);
}

/** Refuses a request and hangs up: its body, if any, is not read. */
export function refuseRequest(response: ServerResponse, refusal: Refusal): void {
  sendJson(response, refusal.status, { error: refusal.reason }, refusalHeaders(refusal));
}

/** Refuses an upgrade and hangs up. An upgrade has no response object, so the answer is written by hand. */
export function refuseUpgrade(stream: Duplex, refusal: Refusal): void {
  const body = JSON.stringify({ error: refusal.reason });
  const headers = { ...headersFor(body), ...refusalHeaders(refusal) };
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ""}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  // The peer may be gone already, and must not be waited for.
  stream.on("error", () => undefined);
  stream.once("finish", () => stream.destroy());
  stream.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function headersFor(body: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
  };
}

function refusalHeaders({ status, waitMs }: Refusal): Record<string, string> {
  return {
    connection: "close",
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(waitMs === undefined ? {} : { "retry-after": String(Math.ceil(waitMs / 1_000)) }),
  };
}
