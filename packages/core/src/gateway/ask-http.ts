/**
 * Sends one small HTTP request over its own connection and reads as much of the answer as is needed to judge it. It does not
 * use `node:http`, because a keeper asks every ten seconds for months: that client costs a keeper half a megabyte and a
 * command 3 ms. Judges nothing itself.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { isDigits } from "../digits.ts";

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
/** Enough for a whole answer about health. */
const READ_BYTES = 1_024;

/**
 * How much later an answered connection is closed, unless the process ends before. Closing costs time, and the end of a short command
 * closes it for free. The delay is short, so that a server which serves one connection at a time soon gets to the next.
 */
const CLOSE_AFTER_MS = 50;
/** How many answered connections may wait for that; any further one is closed at once. */
const MAX_ANSWERED = 64;
const answered: Socket[] = [];

/** One buffer for all questions: each reading is copied out of it before the next one. */
let readInto: Buffer | undefined;

/**
 * Sends the request. `end` gives it up; then `outcome` may stay pending.
 *
 * @throws {TypeError} for an invalid `path`; {RangeError} ERR_SOCKET_BAD_PORT for an invalid `port`.
 */
export async function askHttp(question: HttpQuestion): Promise<{ outcome: Promise<HttpOutcome>; end: () => void }> {
  const { method, path, maxBodyBytes } = question;
  if (!isPath(path)) throw new TypeError(`not a path of HTTP: ${JSON.stringify(path)}`);
  // Rarely needed, and expensive to load.
  const tls = question.scheme === "https" ? await import("node:tls") : undefined;
  const buffer = (readInto ??= Buffer.allocUnsafe(READ_BYTES));
  let text = "";
  let settle: ((found: HttpOutcome) => void) | undefined;
  // A buffer of our own: otherwise each read takes 64 KiB, and goes through a queue of Node's.
  const onread = {
    buffer,
    callback: (length: number): boolean => {
      text += buffer.toString("latin1", 0, length);
      const isTooLong = text.length > MAX_HEAD_BYTES + MAX_FRAMING_BYTES + maxBodyBytes;
      const found = readAnswer(text, question, false) ?? (isTooLong ? "not-http" : undefined);
      if (found !== undefined) settle?.(found);
      // What follows the answer is not read.
      return found === undefined;
    },
  };
  // The listeners must be added without a pause, because it may fail at once.
  const place = { host: question.host, port: question.port, onread };
  const socket = tls === undefined ? connect(place) : tls.connect(secured(place));
  let isSettled = false;
  const outcome = new Promise<HttpOutcome>((resolve, reject) => {
    const finish = (found: HttpOutcome): void => {
      isSettled = true;
      resolve(found);
      if (typeof found === "object") closeSoon(socket);
      else socket.destroy();
    };
    settle = finish;
    // It also comes when the gateway has ended its side. The check spares Node the work for a promise that is settled twice.
    socket.on("close", () => {
      if (!isSettled) finish(readAnswer(text, question, true) ?? "closed");
    });
    socket.on("error", reject);
  });
  const request = `${method} ${path} HTTP/1.1\r\nHost: ${hostHeader(question)}\r\nConnection: close\r\n\r\n`;
  // Written before that, it would wait in Node, with listeners of Node's own.
  socket.on("connect", () => socket.write(request, "latin1"));
  const end = (): void => {
    if (!isSettled) socket.destroy();
  };
  return { outcome, end };
}

/** Closes the connection a little later; until then it does not keep the process alive. */
function closeSoon(socket: Socket): void {
  if (answered.length >= MAX_ANSWERED) {
    socket.destroy();
    return;
  }
  socket.unref();
  answered.push(socket);
  if (answered.length > 1) return;
  const close = (): void => answered.splice(0).forEach((each) => each.destroy());
  setTimeout(close, CLOSE_AFTER_MS).unref();
}

/** Whether the text is not empty and has no character that `node:http` refuses in a path. */
function isPath(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x21 || code > 0xff) return false;
  }
  return text !== "";
}

/** Any certificate is accepted. */
function secured<T extends { readonly host: string }>(place: T): T & ConnectionOptions {
  // An address is not a valid server name.
  const servername = /^[\d.]+$|:/u.test(place.host) ? "" : place.host;
  return { ...place, servername, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] };
}

/** As browsers write it: without the scheme's default port. */
function hostHeader({ host, port, scheme }: HttpQuestion): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === (scheme === "https" ? 443 : 80) ? name : `${name}:${port}`;
}

/**
 * Returns the answer in the text; undefined when it is not complete yet. `isOver`: no more data will come. Pure; the text has
 * one character for each byte. Without the expressions that one would write: compiling them costs as much as ten answers.
 */
export function readAnswer(
  text: string,
  { method, wantsBody, maxBodyBytes }: Pick<HttpQuestion, "method" | "wantsBody" | "maxBodyBytes">,
  isOver: boolean,
): HttpOutcome | undefined {
  for (let at = 0; ;) {
    const rest = at === 0 ? text : text.slice(at);
    if (!rest.startsWith("HTTP/1.") && !"HTTP/1.".startsWith(rest)) return "not-http";
    const head = headOf(rest);
    if (head === undefined) return rest.length > MAX_HEAD_BYTES ? "not-http" : undefined;
    const [line = "", ...fields] = head.lines;
    const status = statusIn(line);
    if (status === undefined || head.sizeBytes > MAX_HEAD_BYTES) return "not-http";
    at += head.sizeBytes;
    // More follows after these, except after a change of the protocol.
    if (status < 200 && status !== 101) continue;
    if (!wantsBody(status)) return { status };
    if (method === "HEAD" || status === 204 || status === 304) return { status, body: "" };
    const read = readBody(fields, text.slice(at), maxBodyBytes, isOver);
    return typeof read === "object" ? { status, ...read } : read;
  }
}

/** Returns the lines up to the first empty one, and the size of all that; undefined when there is none yet. */
function headOf(text: string): { readonly lines: readonly string[]; readonly sizeBytes: number } | undefined {
  const lines: string[] = [];
  for (let at = 0; ;) {
    const end = text.indexOf("\n", at);
    if (end === -1) return undefined;
    const line = text.slice(at, text[end - 1] === "\r" ? end - 1 : end);
    at = end + 1;
    if (line === "") return { lines, sizeBytes: at };
    lines.push(line);
  }
}

/** `HTTP/1.1 200 OK`, `HTTP/1.0 200` */
function statusIn(line: string): number | undefined {
  const [version, digits = ""] = line.split(" ", 2);
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") return undefined;
  return digits.length === 3 && isDigits(digits) ? Number(digits) : undefined;
}

/** Returns the values of the fields with that name, in small letters. */
function valuesOf(name: string, fields: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const field of fields) {
    const colon = field.indexOf(":");
    if (field.slice(0, colon).toLowerCase() === name)
      found.push(
        field
          .slice(colon + 1)
          .trim()
          .toLowerCase(),
      );
  }
  return found;
}

type Body = Pick<HttpAnswer, "body" | "isTooLong"> | "not-http" | undefined;

function readBody(fields: readonly string[], rest: string, maxBytes: number, isOver: boolean): Body {
  const isChunked = valuesOf("transfer-encoding", fields).some(
    (value) => value.split(",").at(-1)?.trim() === "chunked",
  );
  if (isChunked) return readChunks(rest, maxBytes);
  const length = valuesOf("content-length", fields).find(isDigits);
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
  return { body: isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8") };
}

function isAscii(bytes: string): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (bytes.charCodeAt(at) > 0x7f) return false;
  return true;
}
