/**
 * The one place in front of every request and every upgrade: Host, Origin, failure budget, token, in that order and before any
 * routing. Loopback is not authentication: a web page reaches it too, under its own name (DNS rebinding) or across origins. So
 * both headers are compared byte for byte, and no forwarded header is ever read. The verdict is data; the gateway host turns
 * it into an answer.
 */
import type { IncomingMessage } from "node:http";
import { isIPv4 } from "node:net";
import { shownToken, tokenMatcher } from "./access-token.ts";
import type { ShownToken } from "./access-token.ts";
import { createFailureBudget } from "./failure-budget.ts";
import type { AttemptSource } from "./failure-budget.ts";
import type { HostSettings } from "./gateway-options.ts";
import { hostWithPort, isWildcardHost } from "../host/address.ts";

/** `open` paths are for probes and need no token; everything else does. */
export type Access = "open" | "guarded";

/** `waitMs`: when to try again. */
export type GuardVerdict =
  | { readonly verdict: "allowed" }
  | { readonly verdict: "refused"; readonly status: 400 | 401 | 403 | 431; readonly reason: string }
  | { readonly verdict: "refused"; readonly status: 429; readonly reason: string; readonly waitMs: number };

/** Judges one request or upgrade, before anything else handles it. */
export type RequestGuard = (request: IncomingMessage, access: Access) => GuardVerdict;

/** The settings that the guard needs. */
export type GuardSettings = Pick<
  HostSettings,
  | "host"
  | "port"
  | "token"
  | "allowedHosts"
  | "allowedOrigins"
  | "onWarning"
  | "maxHeaderLines"
  | "maxFailures"
  | "failureWindowMs"
  | "refusalMs"
  | "maxFailureSources"
>;

/** Headers that two readers could understand differently when they are sent twice. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set(["origin", "sec-websocket-origin", "authorization"]);

const ALLOWED: GuardVerdict = { verdict: "allowed" };

/** Returns the guard of one gateway. `now` is a monotonic clock in milliseconds. */
export function guardRequests(settings: GuardSettings, now: () => number = () => performance.now()): RequestGuard {
  const hosts = acceptedHosts(settings);
  const origins = new Set(settings.allowedOrigins);
  const matches = tokenMatcher(settings.token);
  const tellRefusal = refusalTeller(settings);
  const countAttempt = createFailureBudget({
    failures: settings.maxFailures,
    windowMs: settings.failureWindowMs,
    refusalMs: settings.refusalMs,
    sources: settings.maxFailureSources,
  });

  return (request, access) => {
    const { headers, rawHeaders } = request;
    if (rawHeaders.length > 2 * settings.maxHeaderLines) {
      return refuse(431, `more than ${settings.maxHeaderLines} header lines`);
    }
    const counts = countHeaders(rawHeaders);
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

    const shown = shownToken(headers);
    const source = sourceOf(request, shown);
    const attempt = countAttempt(source, now());
    if (attempt.verdict === "refused") {
      if (attempt.first) tellRefusal(source, shown, now());
      return { verdict: "refused", status: 429, reason: "too many failed attempts", waitMs: attempt.waitMs };
    }
    if (shown.shown !== "token" || !matches(shown.token)) {
      return refuse(401, shown.shown === "none" ? "a token is needed" : "the token is not the right one");
    }
    attempt.giveBack();
    return namesAHost(request.url) ? refuse(400, "the request target must not begin with two slashes") : ALLOWED;
  };
}

function refuse(status: 400 | 401 | 403 | 431, reason: string): GuardVerdict {
  return { verdict: "refused", status, reason };
}

/** `//x` and `/\x` are paths on the wire, and the host `x` to a handler that resolves them against a base. */
function namesAHost(target: string): boolean {
  return /^\/[/\\]/.test(target);
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

/** `request.headers` keeps the first of several; only the raw list shows how many there were. */
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
 * The source of an attempt: the network address; whether a page sent it, and which allowed one; and whether it was a guess at
 * all. A page cannot avoid sending Origin, Sec-Fetch-Site or Referer, except to an address that its browser does not trust and
 * with a referrer policy; but it can never send a token without its Origin. So an image on a foreign page is never charged to
 * the owner's tools or to the owner's own page.
 */
function sourceOf({ headers, socket }: IncomingMessage, { shown }: ShownToken): AttemptSource {
  const { origin } = headers;
  const page = headers["sec-fetch-site"] !== undefined || headers.referer !== undefined;
  const sender = origin === undefined ? (page ? "pages" : "programs") : `pages of ${origin}`;
  const what = `${sender} ${shown === "token" ? "with a token" : "without a token"}`;
  const { address, network } = placesOf(socket.remoteAddress ?? "");
  return { key: `${what} from ${address}`, network: network === null ? null : `${what} from ${network}` };
}

/** One machine is one source: 127.0.0.0/8 and ::1 are this machine, and a /64 usually belongs to one machine. */
function placesOf(remoteAddress: string): { readonly address: string; readonly network: string | null } {
  const plain = remoteAddress.startsWith("::ffff:") ? remoteAddress.slice("::ffff:".length) : remoteAddress;
  if (plain === "::1" || plain.startsWith("127.")) return { address: "this machine", network: null };
  if (isIPv4(plain)) return { address: plain, network: `${plain.slice(0, plain.lastIndexOf("."))}.0/24` };
  const [head = "", tail] = (plain.split("%", 1)[0] ?? "").split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail?.split(":") ?? [];
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  const groups = [...left, ...zeros, ...right];
  return { address: `${groups.slice(0, 4).join(":")}::/64`, network: `${groups.slice(0, 3).join(":")}::/48` };
}

/** How many refusals are reported in a minute: enough for a locked-out owner to find the reason, and too few to fill a log. */
const TOLD_PER_MINUTE = 10;

function refusalTeller({
  host,
  port,
  onWarning,
  maxFailures,
  refusalMs,
}: GuardSettings): (source: AttemptSource, shown: ShownToken, now: number) => void {
  let told: number[] = [];
  return ({ key }, { shown }, now) => {
    told = told.filter((at) => at > now - 60_000);
    if (told.length >= TOLD_PER_MINUTE) return;
    told.push(now);
    const last = told.length === TOLD_PER_MINUTE ? "; further ones are not told for a while" : "";
    // Requests with a token are counted apart from requests without one.
    const right = shown === "token" ? "the right token too" : "the right token is still accepted";
    onWarning(
      `http://${hostWithPort(host, port)}: ${maxFailures} failed attempts of ${key}: refused for up to ${Math.ceil(refusalMs / 1_000)} s, ${right}${last}`,
    );
  };
}
