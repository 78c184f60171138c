/**
 * The gateway's access token: which ones are strong enough, where a request carries it, and a comparison in constant time. A
 * token is never logged, put into an error or sent back.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** The subprotocol that the gateway answers with. */
export const GATEWAY_PROTOCOL = "lockkeeper.v1";
/** The prefix of a subprotocol that carries the token of a browser, which cannot set headers. It is never echoed. */
const BEARER_PROTOCOL = "lockkeeper.bearer.";

/** Returns what is wrong with a token that is missing, short, or not made of base64url; never the token itself. */
export function tokenFault(token: unknown): string | undefined {
  if (typeof token === "string" && /^[A-Za-z0-9_-]{32,256}$/.test(token)) return undefined;
  const got = typeof token === "string" ? `${token.length} characters` : String(token === null ? null : typeof token);
  return `expected a token of 32 to 256 characters of A-Z a-z 0-9 _ -, got ${got}`;
}

/** @throws {TypeError} when the token is none that a gateway may be opened with: see {@link tokenFault}. */
export function refuseWeakToken(caller: string, token: unknown): void {
  const fault = tokenFault(token);
  if (fault !== undefined)
    throw new TypeError(`${caller}: ${fault}; make one with randomBytes(32).toString("base64url")`);
}

/** What a request carried: one token, none, or something that cannot be a token (then there is no comparison). */
export type ShownToken = { readonly shown: "token"; readonly token: string } | { readonly shown: "none" | "malformed" };

/** Returns the token of an `Authorization: Bearer` header or, without that header, of a bearer subprotocol. */
export function shownToken(headers: IncomingHttpHeaders): ShownToken {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const match = /^bearer +([A-Za-z0-9_-]+) *$/i.exec(authorization);
    return match?.[1] === undefined ? { shown: "malformed" } : { shown: "token", token: match[1] };
  }
  const offered = headers["sec-websocket-protocol"]?.split(",") ?? [];
  const bearers = offered.map((name) => name.trim()).filter((name) => name.startsWith(BEARER_PROTOCOL));
  const [bearer] = bearers;
  if (bearer === undefined) return { shown: "none" };
  return bearers.length > 1 ? { shown: "malformed" } : { shown: "token", token: bearer.slice(BEARER_PROTOCOL.length) };
}

/** Returns a test for equality with `token`, on digests, in constant time. */
export function tokenMatcher(token: string): (shown: string) => boolean {
  // Made at the first request: a gateway that starts has no use for `node:crypto`, which takes long to load.
  let expected: Buffer | undefined;
  return (shown) => timingSafeEqual(digest(shown), (expected ??= digest(token)));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
