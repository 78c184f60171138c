/**
 * Plans the block of ports of a new profile. Pure: all claims of the host and of other profiles are passed in. A block
 * overlaps no claim, derived ranges included.
 */

/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A claimed range and its claimant. The kinds of claimant, in the order in which an exhausted pool names them. */
export interface PortClaim extends PortRange {
  readonly by: "profile" | "reservation" | "installation" | "listener" | "ephemeral" | "reserved" | "browser";
  /** For a person: `dev`, `~/.openclaw`, `the host's ephemeral range`. */
  readonly owner: string;
  /** The program of the installation: `OpenClaw`. */
  readonly program?: string;
  /** The owner's purpose for these ports: `gateway`, `cdp`. Empty for a whole block. */
  readonly label: string;
}

/** The input of a plan. */
export interface PlanRequest {
  readonly span: number;
  readonly pool: PortRange;
  readonly claims: readonly PortClaim[];
}

/** Returns whether the two ranges have a port in common. */
export function overlaps(a: PortRange, b: PortRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/**
 * Returns the lowest block of the pool, from the port `from` on, that no claim touches; undefined when there is none.
 *
 * @param from where to begin, so that a search can continue after a block that turned out to be taken. @default the pool's
 * first
 */
export function planBlock({ span, pool, claims }: PlanRequest, from: number = pool.first): PortRange | undefined {
  const inOrder = [...claims].sort((a, b) => a.first - b.first);
  let first = Math.max(from, pool.first);
  for (const claim of inOrder) {
    if (claim.first < first + span && first <= claim.last) first = claim.last + 1;
  }
  const last = first + span - 1;
  return last <= pool.last ? { first, last } : undefined;
}

/** How much of the pool one kind of claimant uses. */
export interface PoolUse {
  readonly by: PortClaim["by"];
  readonly ports: number;
  /** Distinct owners. */
  readonly owners: number;
}

/** Returns how the pool is used. Each port counts once, for the first claimant in the order of `by`. */
export function measurePool(pool: PortRange, claims: readonly PortClaim[]): readonly PoolUse[] {
  const order = ["profile", "reservation", "installation", "listener", "ephemeral", "reserved", "browser"] as const;
  const counted = new Set<number>();
  return order.flatMap((by) => {
    const owners = new Set<string>();
    const before = counted.size;
    for (const claim of claims) {
      if (claim.by !== by || !overlaps(claim, pool)) continue;
      owners.add(claim.owner);
      for (let port = Math.max(claim.first, pool.first); port <= Math.min(claim.last, pool.last); port += 1) {
        counted.add(port);
      }
    }
    const ports = counted.size - before;
    return ports === 0 ? [] : [{ by, ports, owners: owners.size }];
  });
}

/** Returns `18789` or `18789-18798`. */
export function formatRange({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}
