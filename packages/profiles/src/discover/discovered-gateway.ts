/**
 * What `discover` reports about one gateway: where it was seen, where it listens, which process holds it, what starts it, what
 * it overlaps and how it can be adopted. Plain data and pure functions.
 */
import type { Health } from "@lockkeeper/core";
import type { Holder } from "@lockkeeper/core/internal";
import type { ClaimedRange, InstallationPortSource, InstallationSource } from "../foreign-program.ts";
import { isSameOrNested } from "../directories/directory-rules.ts";
import { formatRange, overlaps } from "../ports/port-plan.ts";
import type { PortRange } from "../ports/port-plan.ts";
import type { ServiceUnit } from "../service-units/service-units.ts";

/** Where a gateway was seen. `app`: the macOS app that brings its own service. */
export type GatewaySource = "profile" | "listener" | InstallationSource;

/** Where its port was read. */
export type PortSource = "profile" | "listener" | InstallationPortSource;

/** What starts it: a profile of this home, a unit of a service manager, or the macOS app. */
export type Manager =
  | { readonly kind: "profile"; readonly name: string }
  | { readonly kind: "unit"; readonly unit: ServiceUnit }
  | { readonly kind: "app"; readonly path: string };

/** Two gateways that claim the same ports or directories. */
export interface GatewayOverlap {
  readonly kind: "ports" | "directory";
  /** The other gateway, as `discover` names it. */
  readonly with: string;
  /** What both claim: `18791-18792`, or a path. */
  readonly what: string;
}

/** One gateway of this host. A contract with scripts: fields are added, never renamed or removed. */
export interface DiscoveredGateway {
  readonly sources: readonly GatewaySource[];
  /** The name that its owner uses: a profile of ours or of OpenClaw (`default`, `work`), or `127.0.0.1:18789`. */
  readonly name: string;
  /** `lockkeeper`, the kind that would run it (`openclaw`), or `unknown`. */
  readonly program: string;
  readonly host: string;
  /** Null when unknown. */
  readonly port: number | null;
  readonly portSource: PortSource | null;
  /** Every address that listens on its port now. */
  readonly listening: readonly string[];
  /** What it claims: the port itself and what it derives from it. Empty without a port. */
  readonly ranges: readonly ClaimedRange[];
  /** The process on its port; null when nothing listens or the owner is not visible. */
  readonly owner: Holder | null;
  readonly health: Health;
  /** Everything that would start it; more than one is a conflict. */
  readonly managers: readonly Manager[];
  readonly stateDir: string | null;
  readonly configPath: string | null;
  readonly overlaps: readonly GatewayOverlap[];
  /** Oddities, one fact each: a config that does not parse, a lock of a process that has ended. */
  readonly notes: readonly string[];
  /** The command that would adopt it; null when it is ours already or cannot be adopted. */
  readonly adopt: string | null;
}

/** Everything that `discover` found, and where it searched. */
export interface Discovery {
  readonly gateways: readonly DiscoveredGateway[];
  /** The places that were searched, so that a person sees which one is missing. */
  readonly looked: readonly string[];
  /** Whether the host lists its listeners. */
  readonly listeners: "seen" | "unknown";
  /** What could not be read, one fact each: a damaged registry. */
  readonly faults: readonly string[];
  /** The commands that adopt what can be adopted, in order. */
  readonly adopt: readonly string[];
}

/** Returns the gateways with their overlaps filled in: ports claimed twice, and directories that are one or nested. */
export function withOverlaps(gateways: readonly DiscoveredGateway[]): readonly DiscoveredGateway[] {
  return gateways.map((gateway) => {
    const others = gateways.filter((other) => other !== gateway);
    return { ...gateway, overlaps: others.flatMap((other) => overlapsOf(gateway, other)) };
  });
}

function overlapsOf(one: DiscoveredGateway, other: DiscoveredGateway): readonly GatewayOverlap[] {
  const found: GatewayOverlap[] = [];
  const shared = sharedPorts(one.ranges, other.ranges);
  if (shared !== undefined) found.push({ kind: "ports", with: other.name, what: shared });
  if (one.stateDir !== null && other.stateDir !== null && isSameOrNested(one.stateDir, other.stateDir)) {
    found.push({ kind: "directory", with: other.name, what: one.stateDir });
  }
  return found;
}

function sharedPorts(ours: readonly PortRange[], theirs: readonly PortRange[]): string | undefined {
  const shared = ours.flatMap((a) =>
    theirs
      .filter((b) => overlaps(a, b))
      .map((b) => formatRange({ first: Math.max(a.first, b.first), last: Math.min(a.last, b.last) })),
  );
  return shared.length === 0 ? undefined : [...new Set(shared)].join(", ");
}
