/**
 * Writes the gateway host's own answers: small JSON bodies that no cache keeps, for requests and upgrades. It decides nothing.
 * Used by the gateway host only.
 */
import { STATUS_CODES } from "node:http";
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** A refusal. `waitMs` tells the client when to try again. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly waitMs?: number;
}

/** Answers with the complete `body` as JSON. */
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
  // The peer may have gone already, so we do not wait for it.
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
