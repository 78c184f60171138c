/**
 * Asks a gateway for its health and judges the answer. Speaking HTTP is not enough: the status and, for our own gateways, the
 * shape of the body must say so. Does not judge which process answered. Changes nothing.
 */
import { request as httpRequest } from "node:http";
import type { RequestOptions } from "node:https";
import { errnoOf } from "../errors.ts";
import { reachableHost } from "../host/address.ts";

/** Options of {@link probeHealth}. */
export interface HealthProbe {
  /** As bound; a wildcard is asked at the loopback address of its family. */
  readonly host: string;
  readonly port: number;
  /** @default "/healthz" */
  readonly path?: string | undefined;
  /**
   * `ok-body`: status 200 and a JSON object with `"ok":true`. `2xx`: any such status. `not-5xx`: any answer except "not now",
   * for servers that do not know the path. `any`: any answer to a HEAD request. @default "ok-body"
   */
  readonly expect?: "ok-body" | "2xx" | "not-5xx" | "any" | undefined;
  /** With `https` any certificate is accepted, because only the answer matters. @default "http" */
  readonly scheme?: "http" | "https" | undefined;
  /** For the whole exchange. @default 2_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `unknown`: the probe could not be sent (aborted, out of descriptors, no route), so nothing is known. */
export interface HealthReport {
  readonly health: "ok" | "failing" | "unknown";
  /** The observation behind the verdict, in words. */
  readonly detail: string;
  /** The status of the answer; null when there was no HTTP answer. */
  readonly httpStatus: number | null;
}

/** A health answer is tiny: ours has 64 bytes at most. A longer one is another kind of page. */
const MAX_BODY_BYTES = 4_096;

/** Failures that are caused by the gateway, not by us. */
const GATEWAY_FAILURES: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ECONNRESET", "the connection was closed without an answer"],
  ["EPIPE", "the connection was closed without an answer"],
  ["EPROTO", "what listens there does not speak TLS"],
  ["HPE_INVALID_CONSTANT", "what listens there does not speak HTTP"],
]);

/**
 * Returns the verdict within `timeoutMs`, whatever the gateway does.
 *
 * @throws {TypeError} ERR_UNESCAPED_CHARACTERS when `path` cannot be one; {RangeError} ERR_SOCKET_BAD_PORT when `port` cannot.
 */
export async function probeHealth(probe: HealthProbe): Promise<HealthReport> {
  const { host, port, path = "/healthz", expect = "ok-body", scheme = "http", timeoutMs = 2_000, signal } = probe;
  // Rarely needed, and expensive to load.
  const request = scheme === "https" ? (await import("node:https")).request : httpRequest;
  const method = expect === "any" ? "HEAD" : "GET";
  const options: RequestOptions = { host: reachableHost(host), port, path, method, agent: false, signal };
  return new Promise((resolve) => {
    let httpStatus: number | null = null;
    const settle = (health: HealthReport["health"], detail: string): void => {
      clearTimeout(deadline);
      resolve({ health, detail, httpStatus });
      asked.destroy();
    };
    const fail = (error: Error): void => {
      if (signal?.aborted === true) settle("unknown", "aborted before there was an answer");
      else settle(...judgeFailure(error));
    };
    const asked = request({ ...options, rejectUnauthorized: false }, (response) => {
      const status = response.statusCode ?? 0;
      httpStatus = status;
      if (expect === "any") {
        settle("ok", `HTTP ${status}`);
        return;
      }
      if (expect === "2xx") {
        settle(status >= 200 && status < 300 ? "ok" : "failing", `HTTP ${status}`);
        return;
      }
      if (expect === "not-5xx") {
        settle(status < 500 ? "ok" : "failing", `HTTP ${status}`);
        return;
      }
      if (status !== 200) {
        settle("failing", `HTTP ${status}`);
        return;
      }
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        sizeBytes += chunk.length;
        if (sizeBytes > MAX_BODY_BYTES) settle("failing", `HTTP 200 with more than ${MAX_BODY_BYTES} bytes`);
      });
      response.on("end", () => {
        if (saysOk(Buffer.concat(chunks).toString("utf8"))) settle("ok", 'HTTP 200 {"ok":true}');
        else settle("failing", 'HTTP 200 without {"ok":true}');
      });
      response.on("error", fail);
    });
    // A timer, because a derived signal for each probe would stay registered on the caller's signal.
    const deadline = setTimeout(() => settle("failing", `no answer within ${timeoutMs} ms`), timeoutMs);
    asked.on("error", fail);
    asked.end();
  });
}

function judgeFailure(error: Error): [HealthReport["health"], string] {
  const code = errnoOf(error) ?? "unknown error";
  const meaning = GATEWAY_FAILURES.get(code);
  if (meaning !== undefined) return ["failing", `${meaning} (${code})`];
  if (code.startsWith("HPE_")) return ["failing", `what listens there does not speak HTTP (${code})`];
  return ["unknown", `could not ask (${code})`];
}

function saysOk(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && "ok" in value && value.ok === true;
  } catch {
    return false;
  }
}
