/**
 * Sends one small HTTP request over its own connection and reads as much of the answer as is needed to judge it. It does not
 * use `node:http`, because a keeper asks every ten seconds for months: that client costs a keeper half a megabyte and a
 * command 3 ms. Judges nothing itself.
 */
import { connect } from "node:net";
import type { ConnectionOptions } from "node:tls";

/** A request. */
export interface HttpQuestion {
  /** Where to connect; also the Host header. */
  readonly host: string;
  readonly port: number;
  readonly scheme: "http" | "https";
  readonly method: "GET" | "HEAD";
  readonly path: string;
  /** Whether the body of an answer with that status is needed. Called when the status is known, and again with later data. */
  readonly wantsBody: (status: number) => boolean;
  /** A longer body is not read to its end. */
  readonly maxBodyBytes: number;
}

/** `not-http`: the answer is not HTTP. `closed`: there was no answer, or only a part of it. */
export type HttpOutcome = HttpAnswer | "not-http" | "closed";

/** The final answer, not one of those with a status below 200. */
export interface HttpAnswer {
  readonly status: number;
  /** Undefined when it was not needed, or is too long. */
  readonly body?: string;
  readonly isTooLong?: true;
}

/** The same bound as Node's own client. Source: nodejs.org/api/cli.html, --max-http-header-size. */
const MAX_HEAD_BYTES = 16_384;
/** Room for the lengths of chunks besides the body. */
const MAX_FRAMING_BYTES = 16_384;
/** Characters that `node:http` refuses in a path. */
const NOT_IN_A_PATH = /[^\u0021-\u00ff]/u;

/**
 * Sends the request. `end` gives it up; then `outcome` may stay pending.
 *
 * @throws {TypeError} for an invalid `path`; {RangeError} ERR_SOCKET_BAD_PORT for an invalid `port`.
 */
export async function askHttp(question: HttpQuestion): Promise<{ outcome: Promise<HttpOutcome>; end: () => void }> {
  const { method, path, maxBodyBytes } = question;
  if (path === "" || NOT_IN_A_PATH.test(path)) throw new TypeError(`not a path of HTTP: ${JSON.stringify(path)}`);
  // Rarely needed, and expensive to load.
  const tls = question.scheme === "https" ? await import("node:tls") : undefined;
  // The listeners must be added without a pause, because it may fail at once.
  const socket = tls === undefined ? connect(placeOf(question)) : tls.connect(secured(question));
  const outcome = new Promise<HttpOutcome>((resolve, reject) => {
    let read = Buffer.alloc(0);
    const settle = (found: HttpOutcome): void => {
      resolve(found);
      socket.destroy();
    };
    socket.on("data", (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      const found = readAnswer(read.toString("latin1"), question, false);
      if (found !== undefined) settle(found);
      else if (read.length > MAX_HEAD_BYTES + MAX_FRAMING_BYTES + maxBodyBytes) settle("not-http");
    });
    socket.on("end", () => settle(readAnswer(read.toString("latin1"), question, true) ?? "closed"));
    socket.on("close", () => settle("closed"));
    socket.on("error", reject);
  });
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${hostHeader(question)}\r\nConnection: close\r\n\r\n`, "latin1");
  return { outcome, end: () => socket.destroy() };
}

function placeOf({ host, port }: HttpQuestion): { host: string; port: number } {
  return { host, port };
}

/** Any certificate is accepted. */
function secured(question: HttpQuestion): ConnectionOptions {
  // An address is not a valid server name.
  const servername = /^[\d.]+$|:/u.test(question.host) ? "" : question.host;
  return { ...placeOf(question), servername, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] };
}

/** As browsers write it: without the scheme's default port. */
function hostHeader({ host, port, scheme }: HttpQuestion): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === (scheme === "https" ? 443 : 80) ? name : `${name}:${port}`;
}

/**
 * Returns the answer in the text; undefined when it is not complete yet. `isOver`: no more data will come. Pure; the text has
 * one character for each byte.
 */
export function readAnswer(
  text: string,
  { method, wantsBody, maxBodyBytes }: Pick<HttpQuestion, "method" | "wantsBody" | "maxBodyBytes">,
  isOver: boolean,
): HttpOutcome | undefined {
  for (let at = 0; ;) {
    const rest = at === 0 ? text : text.slice(at);
    if (!rest.startsWith("HTTP/1.") && !"HTTP/1.".startsWith(rest)) return "not-http";
    const end = /\r?\n\r?\n/u.exec(rest);
    if (end === null) return rest.length > MAX_HEAD_BYTES ? "not-http" : undefined;
    const head = rest.slice(0, end.index);
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?=[ \r\n]|$)/u.exec(head)?.[1]);
    if (Number.isNaN(status) || end.index > MAX_HEAD_BYTES) return "not-http";
    at += end.index + end[0].length;
    // More follows after these, except after a change of the protocol.
    if (status < 200 && status !== 101) continue;
    if (!wantsBody(status)) return { status };
    if (method === "HEAD" || status === 204 || status === 304) return { status, body: "" };
    const read = readBody(head, text.slice(at), maxBodyBytes, isOver);
    return typeof read === "object" ? { status, ...read } : read;
  }
}

type Body = Pick<HttpAnswer, "body" | "isTooLong"> | "not-http" | undefined;

function readBody(head: string, rest: string, maxBytes: number, isOver: boolean): Body {
  if (/^transfer-encoding:[^\n]*\bchunked[ \t]*\r?$/imu.test(head)) return readChunks(rest, maxBytes);
  const length = /^content-length:[ \t]*(\d+)[ \t]*\r?$/imu.exec(head)?.[1];
  const sizeBytes = length === undefined ? rest.length : Number(length);
  if (sizeBytes > maxBytes) return { isTooLong: true };
  if (length === undefined ? !isOver : rest.length < sizeBytes) return undefined;
  return decode(rest.slice(0, sizeBytes));
}

function readChunks(rest: string, maxBytes: number): Body {
  let body = "";
  for (let at = 0; ;) {
    const lineEnd = rest.indexOf("\n", at);
    if (lineEnd === -1) return undefined;
    const size = /^[\da-f]{1,8}(?=[; \t\r]|$)/iu.exec(rest.slice(at, lineEnd))?.[0];
    if (size === undefined) return "not-http";
    const sizeBytes = Number.parseInt(size, 16);
    if (sizeBytes === 0) return decode(body);
    if (body.length + sizeBytes > maxBytes) return { isTooLong: true };
    const end = lineEnd + 1 + sizeBytes;
    if (rest.length < end + 1) return undefined;
    body += rest.slice(lineEnd + 1, end);
    at = rest.startsWith("\r\n", end) ? end + 2 : end + 1;
  }
}

function decode(bytes: string): Body {
  return { body: Buffer.from(bytes, "latin1").toString("utf8") };
}
