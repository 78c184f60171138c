/**
 * Everything that claims ports on this host, gathered once and in one shape: profiles (running or not), installations of other
 * programs, listeners of all users, and the ranges that the host and browsers reserve.
 */
import type { Listener } from "@lockkeeper/core/internal";
import { BROWSER_REFUSED_PORTS } from "./browser-ports.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { formatRange } from "./port-plan.ts";
import type { PortClaim, PortRange } from "./port-plan.ts";
import type { HostPorts } from "./host-ports.ts";

/** Returns the block of a profile. */
export function blockOf({ port, span }: Pick<Manifest, "port" | "span">): PortRange {
  return { first: port, last: port + span - 1 };
}

/** Returns the named ranges of a profile: the gateway's port, derived ranges, extra ports. */
export function namedRanges({ kind, ports }: Pick<Manifest, "kind" | "ports">): readonly NamedRange[] {
  const { derived } = kinds[kind];
  const ranges: NamedRange[] = [];
  for (const label of Object.keys(ports)) {
    const first = ports[label] ?? 0;
    const range = derived.length === 0 ? undefined : derived.find(({ name }) => name === label);
    ranges.push({ label, first, last: range === undefined ? first : first + range.last - range.first });
  }
  return ranges;
}

/** A range and its profile's purpose for it. */
export interface NamedRange extends PortRange {
  readonly label: string;
}

/** Returns the claims of a profile: its whole block, and named ports outside of it. */
export function profileClaims(manifest: Manifest): readonly PortClaim[] {
  return claimsOfAll([manifest]);
}

/** Returns the claims of all these profiles, in their order: of each its block, and named ports outside of it. */
export function claimsOfAll(manifests: Iterable<Manifest>): readonly PortClaim[] {
  const claims: PortClaim[] = [];
  for (const manifest of manifests) {
    const { kind, name: owner, port, span, ports } = manifest;
    const end = port + span - 1;
    claims.push({ first: port, last: end, by: "profile", owner, label: "" });
    // Here rather than in a function: see the growth of `ports` in docs/performance.md.
    let reaches = kinds[kind].derived.length > 0;
    for (const label in ports) {
      const named = ports[label] ?? port;
      if (named < port || named > end) reaches = true;
    }
    if (!reaches) continue;
    for (const { label, first, last } of namedRanges(manifest)) {
      if (first < port || last > end) claims.push({ first, last, by: "profile", owner, label });
    }
  }
  return claims;
}

/** Returns the ports that the host reserves or has assigned. Every listener counts, on any address and of any user. */
export function hostClaims(host: HostPorts): readonly PortClaim[] {
  const claims: PortClaim[] = [];
  const { ephemeral } = host;
  claims.push({ ...ephemeral, by: "ephemeral", owner: "the host's ephemeral range", label: formatRange(ephemeral) });
  for (const range of host.reserved)
    claims.push({ ...range, by: "reserved", owner: "the host's reserved ports", label: "" });
  for (const port of BROWSER_REFUSED_PORTS) {
    claims.push({ first: port, last: port, by: "browser", owner: "ports that browsers refuse", label: "" });
  }
  if (host.listeners !== "unknown") claims.push(...host.listeners.map(listenerClaim));
  return claims;
}

function listenerClaim({ address, port }: Listener): PortClaim {
  return { first: port, last: port, by: "listener", owner: `the listener on ${address}`, label: "" };
}

/** Returns the claimant in words: `profile dev`, `OpenClaw in ~/.openclaw`. */
export function describeClaimant({ by, owner, program }: PortClaim): string {
  if (by === "profile") return `profile ${owner}`;
  if (by === "reservation") return owner === "" ? "a reservation" : `the reservation for ${owner}`;
  return program === undefined ? owner : `${program} in ${owner}`;
}
