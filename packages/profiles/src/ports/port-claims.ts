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
export function namedRanges(manifest: Manifest): readonly (PortRange & { readonly label: string })[] {
  const { derived } = kinds[manifest.kind];
  return Object.entries(manifest.ports).map(([label, first]) => {
    const range = derived.find(({ name }) => name === label);
    return { label, first, last: range === undefined ? first : first + range.last - range.first };
  });
}

/** Returns the claims of a profile: its whole block, and named ports outside of it. */
export function profileClaims(manifest: Manifest): readonly PortClaim[] {
  const block = blockOf(manifest);
  const outside = namedRanges(manifest).filter(({ first, last }) => first < block.first || last > block.last);
  return [
    { ...block, by: "profile", owner: manifest.name, label: "" },
    ...outside.map((range): PortClaim => ({ ...range, by: "profile", owner: manifest.name })),
  ];
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
