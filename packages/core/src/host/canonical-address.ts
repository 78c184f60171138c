/**
 * The one spelling of an address, so that two can be compared as text: IPv6 in short form, and a mapped IPv4 address as IPv4.
 * Addresses from the kernel are spelt here; Node's own parser, which needs `node:net` and milliseconds, is used only for an
 * IPv6 address that a person wrote. Pure.
 */
import { SocketAddress, isIPv6 } from "node:net";

/** An address in its one spelling. */
export interface CanonicalAddress {
  readonly family: 4 | 6;
  readonly address: string;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** Returns the address in `host` without brackets and zone; undefined for a name. */
export function canonicalAddress(host: string): CanonicalAddress | undefined {
  if (IPV4.test(host)) return { family: 4, address: host };
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (IPV4.test(bare)) return { family: 4, address: bare };
  if (!bare.includes(":") || !isIPv6(bare)) return undefined;
  const { address } = new SocketAddress({ address: bare.replace(/%.*$/u, ""), family: "ipv6" });
  return unmapped(address);
}

/** Returns the address of 4 or 16 bytes in network order. */
export function canonicalBytes(bytes: readonly number[]): CanonicalAddress {
  return bytes.length === 4 ? { family: 4, address: bytes.join(".") } : unmapped(ipv6Text(bytes));
}

function unmapped(address: string): CanonicalAddress {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/u.exec(address)?.[1];
  return mapped === undefined ? { family: 6, address } : { family: 4, address: mapped };
}

/** As inet_ntop(3) writes it: the first longest run of zeros is omitted; a single zero stays. */
function ipv6Text(bytes: readonly number[]): string {
  const groups: number[] = [];
  for (let at = 0; at < bytes.length; at += 2) groups.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  const { first, length } = longestZeros(groups);
  // IPv4-compatible and IPv4-mapped: the last 32 bits are written as IPv4.
  const isMapped = first === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff));
  if (isMapped) return `${length === 5 ? "::ffff:" : "::"}${bytes.slice(12).join(".")}`;
  return length < 2
    ? hexGroups(groups)
    : `${hexGroups(groups.slice(0, first))}::${hexGroups(groups.slice(first + length))}`;
}

function hexGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}

function longestZeros(groups: readonly number[]): { readonly first: number; readonly length: number } {
  let [first, length] = [0, 0];
  for (let at = 0; at < groups.length; at += 1) {
    let end = at;
    while (groups[end] === 0) end += 1;
    if (end - at > length) [first, length] = [at, end - at];
    at = end;
  }
  return { first, length };
}
