/** Finds contradictions between recorded plans, whether anything runs or not. Pure. */
import { describeClaimant } from "./port-claims.ts";
import { formatRange, overlaps } from "./port-plan.ts";
import type { PortClaim } from "./port-plan.ts";

/**
 * Two that want the same port. `overlap`: two profiles; `openclaw`: a profile and an installation of another program, which it
 * does not run (the word is older than the second program); `reservation`: a profile and ports that are reserved; `listener`: a
 * profile and a process that has the port now.
 */
export interface PortConflict {
  readonly kind: "overlap" | "openclaw" | "reservation" | "listener";
  /** The first port that both claim. */
  readonly port: number;
  readonly profiles: readonly string[];
  /** The claimant that is not a profile, in words; null when all are profiles. */
  readonly owner: string | null;
}

/**
 * Returns one conflict for each pair of owners whose claims touch, by port. Claims of one owner never conflict; conflicts
 * among installations are not ours to judge.
 */
export function findPlanConflicts(claims: readonly PortClaim[]): readonly PortConflict[] {
  const inOrder = [...claims].sort((a, b) => a.first - b.first);
  const found = new Map<string, PortConflict>();
  let open: PortClaim[] = [];
  // The last port of those that are open: most claims begin behind it.
  let reach = 0;
  for (const claim of inOrder) {
    open = claim.first > reach ? [] : open.filter((each) => overlaps(each, claim));
    reach = Math.max(reach, claim.last);
    for (const each of open) {
      const conflict = conflictOf(each, claim);
      const key = [each, claim]
        .map(({ by, owner }) => `${by} ${owner}`)
        .sort()
        .join("\n");
      if (conflict !== undefined && !found.has(key)) found.set(key, conflict);
    }
    open.push(claim);
  }
  return [...found.values()];
}

function conflictOf(a: PortClaim, b: PortClaim): PortConflict | undefined {
  if (a.by === b.by && a.owner === b.owner) return undefined;
  const profiles = [a, b].filter(({ by }) => by === "profile").map(({ owner }) => owner);
  if (profiles.length === 0) return undefined;
  const port = Math.max(a.first, b.first);
  if (profiles.length === 2) return { kind: "overlap", port, profiles: profiles.sort(), owner: null };
  const other = a.by === "profile" ? b : a;
  if (other.by === "reservation") {
    return { kind: "reservation", port, profiles, owner: `${describeClaimant(other)} (${formatRange(other)})` };
  }
  const owner = `${describeClaimant(other)} (${other.label} ${formatRange(other)})`;
  return { kind: "openclaw", port, profiles, owner };
}
