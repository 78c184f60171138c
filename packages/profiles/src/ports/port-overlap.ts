/** Finds ports with two claimants, and reports the owner. Pure. */
import { LockkeeperError } from "@lockkeeper/core";
import type { Registry } from "../registry/registry.ts";
import { describeClaimant, namedRanges } from "./port-claims.ts";
import { formatRange, overlaps } from "./port-plan.ts";
import type { PortClaim, PortRange } from "./port-plan.ts";

/** Returns the first of `claims` that contains a port of `wanted`. */
export function findOverlap(wanted: readonly PortRange[], claims: Iterable<PortClaim>): PortClaim | undefined {
  for (const claim of claims) if (wanted.some((range) => overlaps(range, claim))) return claim;
  return undefined;
}

/**
 * Returns when none of `claims` contains a port of `wanted`.
 *
 * @param wanted the block first, then ports that its profile has elsewhere.
 * @param hint as for {@link overlapError}.
 * @throws {LockkeeperError} PORTS_OVERLAP from {@link overlapError}.
 */
export function refuseOverlap(
  registry: Registry,
  wanted: readonly PortRange[],
  claims: Iterable<PortClaim>,
  hint?: string,
): void {
  const claim = findOverlap(wanted, claims);
  if (claim !== undefined) throw overlapError(registry, wanted, claim, hint);
}

/** Returns the error for a block that overlaps `claim`, naming owner, block and derived range. */
export function overlapError(
  registry: Registry,
  wanted: readonly PortRange[],
  claim: PortClaim,
  hint?: string,
): LockkeeperError {
  const ours = wanted.find((range) => overlaps(range, claim)) ?? claim;
  const owner = claim.by === "profile" ? registry.get(claim.owner) : undefined;
  const named = owner === undefined || claim.label !== "" ? [claim] : namedRanges(owner);
  const inTheWay = named.filter((range) => overlaps(range, ours));
  const parts = inTheWay.map((range) => `${range.label} ${formatRange(range)}`.trim()).join(", ");
  const detail = parts === "" ? "" : ` (there: ${parts})`;
  const message = `the block ${formatRange(ours)} overlaps ${formatRange(claim)} of ${describeClaimant(claim)}${detail}`;
  return new LockkeeperError("PORTS_OVERLAP", message, { hint: hint ?? usualHint(claim) });
}

function usualHint(claim: PortClaim): string {
  return claim.by === "reservation"
    ? `Omit --port to get a free block, or give it back: lockkeeper ports release ${formatRange(claim)}`
    : "Omit --port to get a free block, or see who has what: lockkeeper ports";
}
