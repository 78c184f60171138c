/**
 * Asks a gateway for its health and judges the answer. Speaking HTTP is not enough: the status and, for our own gateways, the
 * shape of the body must say so. Does not judge which process answered. Changes nothing.
 */
import { errnoOf } from "../errors.ts";
import { reachableHost } from "../host/address.ts";
import { LONGEST_TIMER_MS, isDuration, optionCheck } from "../wrong-options.ts";
import { askHttp } from "./ask-http.ts";
import type { HttpOutcome } from "./ask-http.ts";

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
  ["ERR_SSL_WRONG_VERSION_NUMBER", "what listens there does not speak TLS"],
]);

/**
 * Returns the verdict within `timeoutMs`, whatever the gateway does.
 *
 * @throws {TypeError} when `host`, `path` or `timeoutMs` cannot be one; {RangeError} ERR_SOCKET_BAD_PORT when `port` cannot.
 */
export async function probeHealth(probe: HealthProbe): Promise<HealthReport> {
  refuseWrongProbe(probe);
  const { host, port, path = "/healthz", expect = "ok-body", scheme = "http", timeoutMs = 2_000, signal } = probe;
  const aborted = { health: "unknown", detail: "aborted before there was an answer" } as const;
  if (signal?.aborted === true) return { ...aborted, httpStatus: null };
  let httpStatus: number | null = null;
  const asked = await askHttp({
    host: reachableHost(host),
    port,
    scheme,
    method: expect === "any" ? "HEAD" : "GET",
    path,
    wantsBody: (status) => {
      httpStatus = status;
      return expect === "ok-body" && status === 200;
    },
    maxBodyBytes: MAX_BODY_BYTES,
  });
  return new Promise((resolve) => {
    const settle = (verdict: Verdict): void => {
      clearTimeout(deadline);
      signal?.removeEventListener("abort", onAbort);
      resolve({ ...verdict, httpStatus });
      asked.end();
    };
    const onAbort = (): void => settle(aborted);
    // A timer, because a derived signal for each probe would stay registered on the caller's signal.
    const deadline = setTimeout(
      () => settle({ health: "failing", detail: `no answer within ${timeoutMs} ms` }),
      timeoutMs,
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    // While TLS was loaded.
    if (signal?.aborted === true) onAbort();
    asked.outcome.then(
      (outcome) => settle(judge(outcome, expect)),
      (error: unknown) => settle(judgeFailure(error)),
    );
  });
}

function refuseWrongProbe(probe: HealthProbe): void {
  const expect = optionCheck("probeHealth");
  expect("probe", probe, "an object with host and port", (given) => typeof given === "object" && given !== null);
  expect("host", probe.host, "an address", (given) => typeof given === "string" && given !== "");
  expect("port", probe.port, "a number", (given) => typeof given === "number");
  const { timeoutMs = 0 } = probe;
  expect("timeoutMs", timeoutMs, `milliseconds from 0 to ${LONGEST_TIMER_MS}`, isDuration);
}

type Verdict = Omit<HealthReport, "httpStatus">;

function judge(outcome: HttpOutcome, expected: NonNullable<HealthProbe["expect"]>): Verdict {
  if (outcome === "not-http") {
    return { health: "failing", detail: "what listens there does not speak HTTP" };
  }
  if (outcome === "closed") {
    return { health: "failing", detail: "the connection was closed without an answer" };
  }
  const { status, body = "", isTooLong } = outcome;
  const isWell = {
    any: true,
    "2xx": status >= 200 && status < 300,
    "not-5xx": status < 500,
    "ok-body": status === 200,
  }[expected];
  const said = { health: isWell ? "ok" : "failing", detail: `HTTP ${status}` } as const;
  if (expected !== "ok-body" || !isWell) return said;
  if (isTooLong === true) {
    return { ...said, health: "failing", detail: `HTTP 200 with more than ${MAX_BODY_BYTES} bytes` };
  }
  return saysOk(body)
    ? { ...said, detail: 'HTTP 200 {"ok":true}' }
    : { ...said, health: "failing", detail: 'HTTP 200 without {"ok":true}' };
}

function judgeFailure(error: unknown): Verdict {
  const code = errnoOf(error) ?? "unknown error";
  const meaning = GATEWAY_FAILURES.get(code);
  if (meaning !== undefined) return { health: "failing", detail: `${meaning} (${code})` };
  return { health: "unknown", detail: `could not ask (${code})` };
}

function saysOk(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && "ok" in value && value.ok === true;
  } catch {
    return false;
  }
}
