/**
 * The one place in front of every request and every upgrade: Host, Origin, failure budget, token, in that order and
 * before any routing. Loopback is not authentication: a web page reaches it too, under a name of its own (DNS
 * rebinding) or across origins, so both headers are compared byte for byte and no forwarded header is ever read.
 * The verdict is data; the gateway host turns it into an answer.
 */
import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import { shownToken, tokenMatcher } from "./access-token.ts";
import { failureBudget, type BudgetLimits } from "./failure-budget.ts";
import type { HostSettings } from "./gateway-options.ts";
import { hostWithPort, isWildcardHost } from "../host/address.ts";

/** `open` paths are for probes and need no token; everything else does. */
export type Access = "open" | "guarded";

/** `waitMs`: when to try again. */
export type GuardVerdict =
  | { readonly verdict: "allowed" }
  | { readonly verdict: "refused"; readonly status: 400 | 401 | 403; readonly reason: string }
  | { readonly verdict: "refused"; readonly status: 429; readonly reason: string; readonly waitMs: number };

/** Judges one request or upgrade, before anything else looks at it. */
export type RequestGuard = (request: IncomingMessage, access: Access) => GuardVerdict;

const BUDGET: BudgetLimits = { failures: 10, windowMs: 60_000, refusalMs: 300_000, sources: 1_024 };

/** Headers that, sent twice, let two readers see two different requests. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set(["origin", "sec-websocket-origin", "authorization"]);

const ALLOWED: GuardVerdict = { verdict: "allowed" };

/** Returns the guard of one gateway. `now` is a monotonic clock in milliseconds. */
export function requestGuard(
  settings: Pick<HostSettings, "host" | "port" | "token" | "allowedHosts" | "allowedOrigins">,
  now: () => number = () => performance.now(),
): RequestGuard {
  const hosts = acceptedHosts(settings);
  const origins = new Set(settings.allowedOrigins);
  const matches = tokenMatcher(settings.token);
  const countAttempt = failureBudget(BUDGET);

  return (request, access) => {
    const { headers } = request;
    const counts = countHeaders(request.rawHeaders);
    if (counts.host !== 1 || headers.host === undefined || !hosts.has(headers.host)) {
      return refuse(403, "the Host header must be exactly one, and an accepted one");
    }
    if (counts.repeated) return refuse(403, "a header that decides on access was sent twice");
    const origin = headers.origin ?? headers["sec-websocket-origin"];
    if (origin !== undefined && !(typeof origin === "string" && origins.has(origin))) {
      return refuse(403, "this origin is not in the allow-list");
    }
    if (request.url?.startsWith("/") !== true) return refuse(400, "the request target must be a path");
    if (access === "open") return ALLOWED;

    const attempt = countAttempt(sourceOf(request), now());
    if (attempt.verdict === "refused") {
      return { verdict: "refused", status: 429, reason: "too many failed attempts", waitMs: attempt.waitMs };
    }
    const shown = shownToken(headers);
    if (shown.shown !== "token" || !matches(shown.token)) {
      return refuse(401, shown.shown === "none" ? "a token is needed" : "the token is not the right one");
    }
    attempt.giveBack();
    return ALLOWED;
  };
}

function refuse(status: 400 | 401 | 403, reason: string): GuardVerdict {
  return { verdict: "refused", status, reason };
}

function acceptedHosts({
  host,
  port,
  allowedHosts,
}: Pick<HostSettings, "host" | "port" | "allowedHosts">): ReadonlySet<string> {
  const own = isWildcardHost(host) ? [] : [host];
  const names = ["127.0.0.1", "localhost", "::1", ...own].map((name) => hostWithPort(name, port));
  const configured = allowedHosts.map((name) => (/:[0-9]+$/.test(name) ? name : `${name}:${port}`));
  return new Set([...names, ...configured]);
}

/** `request.headers` keeps the first of several; only the raw list tells how many there were. */
function countHeaders(rawHeaders: readonly string[]): { host: number; repeated: boolean } {
  const seen = new Set<string>();
  let host = 0;
  let repeated = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    if (name === "host") host += 1;
    else if (SINGLE_HEADERS.has(name)) {
      repeated ||= seen.has(name);
      seen.add(name);
    }
  }
  return { host, repeated };
}

/**
 * Who an attempt is charged to: the network address, and whether a browser sent it. A page cannot help sending one of
 * these headers (an image or a script of a page has no Origin, but does have the others), so what a page does is never
 * charged to the owner's tools.
 */
function sourceOf({ headers, socket }: IncomingMessage): string {
  const page = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined || headers.referer !== undefined;
  return `${page ? "page" : "tool"} ${networkOf(socket.remoteAddress ?? "")}`;
}

/** One machine, one source: all of 127.0.0.0/8 and ::1 are this machine, a /64 is commonly one machine's. */
function networkOf(address: string): string {
  const plain = address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
  if (plain === "::1" || plain.startsWith("127.")) return "loopback";
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("::");
  const groups = head.split(":");
  if (tail !== undefined) groups.push("0", "0", "0", "0");
  return groups.slice(0, 4).join(":");
}
