/**
 * How an address is written and what it means, in one place: every message, record and table uses this form. Pure.
 */

/** Where a gateway listens unless told otherwise: loopback only, the port that OpenClaw made known. */
export const DEFAULT_HOST = "127.0.0.1";
/** @see DEFAULT_HOST */
export const DEFAULT_PORT = 18_789;

/**
 * Returns `ws://<host>:<port>`, an IPv6 host in brackets: `gatewayUrl("::1", 18789)` is `ws://[::1]:18789`.
 *
 * @param scheme the scheme of a gateway that is not a WebSocket server. @default "ws"
 */
export function gatewayUrl(host: string, port: number, scheme: "ws" | "wss" | "http" | "https" = "ws"): string {
  return `${scheme}://${hostWithPort(host, port)}`;
}

/** Returns `<host>:<port>` as a Host header has it. */
export function hostWithPort(host: string, port: number): string {
  // Only an IPv6 address has a colon; `isIPv6` compiles a large expression at its first call.
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Whether a bind of this host, however it is spelt, accepts connections on every address of the machine. A name is not looked
 * up.
 */
export function isWildcardHost(host: string): boolean {
  if (!host.includes(":")) return host.startsWith("0") && ANY_IPV4.test(host);
  const [address = ""] = host.split("%", 1);
  return ANY_IPV6.test(address) || ANY_MAPPED.test(address);
}

/** Whether only this machine can reach a listener bound to `host`, however it is spelt. Of names it knows `localhost`. */
export function isLoopbackHost(host: string): boolean {
  if (!host.includes(":")) return host === "localhost" || LOOPBACK_IPV4.test(host);
  return LOOPBACK_IPV6.test(host) || LOOPBACK_MAPPED.test(host);
}

/** Returns the address at which this machine itself reaches a listener bound to `host`. */
export function reachableHost(host: string): string {
  if (host === DEFAULT_HOST || !isWildcardHost(host)) return host;
  return host.includes(":") && !ANY_MAPPED.test(host) ? "::1" : "127.0.0.1";
}

/** One to four parts, each zero in decimal, octal or hexadecimal: `0`, `0.0`, `0x0.00`. Source: inet_aton(3) */
const ANY_IPV4 = /^(?:0x0*|0+)(?:\.(?:0x0*|0+)){0,3}$/i;
/** `::`, `0::0`, `::0.0.0.0`, `0:0:0:0:0:0:0:0` */
const ANY_IPV6 = /^[0:.]+$/;
/** `127.0.0.1`, `127.1`. Source: RFC 1122, 3.2.1.3; inet_aton(3) */
const LOOPBACK_IPV4 = /^127(?:\.\d+){1,3}$/;
/** `::1`, `0:0:0:0:0:0:0:1` */
const LOOPBACK_IPV6 = /^[0:]*:0*1$/;
/** `::ffff:127.0.0.1`, `::ffff:7f00:1` */
const LOOPBACK_MAPPED = /^[0:]*:ffff:(?:127(?:\.\d+){3}|7f[0-9a-f]{2}:[0-9a-f]{1,4})$/i;
/** `::ffff:0.0.0.0`, `::ffff:0:0` */
const ANY_MAPPED = /^[0:]*:ffff:[0:.]+$/i;
