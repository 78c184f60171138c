/**
 * How an address is written and what it stands for, in one place: every message, record and table uses this form.
 * Pure; anybody may call it.
 */

/** Where a gateway listens unless told otherwise: loopback only, the port that OpenClaw made known. */
export const DEFAULT_HOST = "127.0.0.1";
/** @see DEFAULT_HOST */
export const DEFAULT_PORT = 18_789;

/** Returns `ws://<host>:<port>`, an IPv6 host in brackets: `gatewayUrl("::1", 18789)` is `ws://[::1]:18789`. */
export function gatewayUrl(host: string, port: number): string {
  return `ws://${hostWithPort(host, port)}`;
}

/** Returns the sentence for a port that somebody else listens on. Scripts and tests of other tools know it word for word. */
export function alreadyListening(host: string, port: number): string {
  return `another gateway instance is already listening on ${gatewayUrl(host, port)}`;
}

/** Returns `<host>:<port>` as a Host header has it. */
export function hostWithPort(host: string, port: number): string {
  // Only an IPv6 address has a colon; `isIPv6` compiles a large expression at its first call.
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Does a bind of this host accept connections on every address of the machine? */
export function isWildcardHost(host: string): boolean {
  return WILDCARDS.has(host);
}

/** Returns the address at which this machine itself reaches a listener bound to `host`. */
export function reachableHost(host: string): string {
  if (!isWildcardHost(host)) return host;
  return host.includes(":") && host !== MAPPED_WILDCARD ? "::1" : "127.0.0.1";
}

const MAPPED_WILDCARD = "::ffff:0.0.0.0";
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::0", "0", MAPPED_WILDCARD]);
