/**
 * Chooses the block of a new profile from the plan (pure) and the real state of this host. Called under the registry's mutex,
 * so that only one process chooses at a time. It costs one pass over the host's listeners and one bind for each port of the
 * block.
 */
import { DEFAULT_HOST, GatewayLockError, LockkeeperError } from "@lockkeeper/core";
import { coversAddress, fileError, portInUse, readListeners } from "@lockkeeper/core/internal";
import type { Listener } from "@lockkeeper/core/internal";
import { pause } from "../interruptible.ts";
import { kinds } from "../kinds/kinds.ts";
import { describeListeners } from "./listener-verdict.ts";
import { readExtraClaims, readInstallationClaims } from "./program-claims.ts";
import type { InstallationClaim } from "./program-claims.ts";
import { blockOf, claimsOfAll, hostClaims } from "./port-claims.ts";
import type { KindName, Manifest } from "../manifest.ts";
import { HIGHEST_PORT, isPort } from "../port-number.ts";
import { refuseOverlap } from "./port-overlap.ts";
import { formatRange, measurePool, planBlock } from "./port-plan.ts";
import type { PoolUse, PortClaim, PortRange } from "./port-plan.ts";
import { findUnusablePort, readHostPorts } from "./host-ports.ts";
import type { HostPorts, UnusablePort } from "./host-ports.ts";
import { reservationClaim, reservationsIn } from "./reservations.ts";
import type { Reservation } from "./reservations.ts";
import { readRegistry } from "../registry/registry.ts";
import type { Registry } from "../registry/registry.ts";
import { lookAtHostRoots } from "../service-units/host-roots.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import { findOtherHomes } from "../service-units/other-homes.ts";
import { readSettings } from "../settings/settings.ts";
import type { Settings } from "../settings/settings.ts";

/** The block that is wanted. */
export interface BlockRequest {
  readonly host: string;
  readonly span: number;
  /** The requested base, if any. */
  readonly port?: number | undefined;
  /** The program of a `command` binds the port itself, perhaps with a privilege that we lack. */
  readonly kind?: KindName | undefined;
}

/** Claims on ports besides the manifests, read once. */
export interface PortSituation {
  readonly host: HostPorts;
  /** What installations of other programs claim. */
  readonly installed: readonly InstallationClaim[];
  /** The blocks of profiles in other homes, because all homes share the host's ports. */
  readonly elsewhere: readonly PortClaim[];
  /** Ports outside their blocks in the configs of our own profiles. */
  readonly overrides: readonly PortClaim[];
}

/**
 * Returns the present claims. Changes nothing.
 *
 * @param roots by a caller that has just looked at them. @default they are looked at
 */
export async function readPortSituation(
  home: string,
  registry: Registry,
  roots: HostRoots = lookAtHostRoots(process.env),
): Promise<PortSituation> {
  return {
    host: readHostPorts(),
    installed: await readInstallationClaims(roots),
    elsewhere: readClaimsElsewhere(home, roots),
    overrides: await readExtraClaims(registry.values()),
  };
}

/** Returns the situation as it is for the profile itself: an installation that it has adopted is no rival for its block. */
export function withoutAdopted(situation: PortSituation, { paths }: Pick<Manifest, "paths">): PortSituation {
  return { ...situation, installed: situation.installed.filter(({ stateDir }) => stateDir !== paths.state) };
}

/** An unreadable registry is reported by the commands of its own home. */
function readClaimsElsewhere(home: string, roots: HostRoots): readonly PortClaim[] {
  return findOtherHomes(home, roots).flatMap((other) => {
    try {
      return claimsOfAll(readRegistry(other).values()).map((claim): PortClaim => ({
        ...claim,
        by: "installation",
        program: `profile ${claim.owner}`,
        owner: other,
      }));
    } catch {
      return [];
    }
  });
}

/**
 * Returns a block that no profile, other installation or listener has and that can be bound now: the requested one, or the
 * lowest of the pool.
 *
 * @param situation @default read now; given by a caller that must not keep others waiting, or has read it already
 * @throws {LockkeeperError} PORTS_OVERLAP, PORTS_EXHAUSTED, PERMISSION_DENIED; IO_FAILED without a descriptor left.
 * @throws {GatewayLockError} PORT_IN_USE, BIND_FAILED.
 */
export async function chooseBlock(
  home: string,
  registry: Registry,
  request: BlockRequest,
  situation?: PortSituation,
): Promise<PortRange> {
  const present = situation ?? (await readPortSituation(home, registry));
  const settings = readSettings(home);
  const planned = plannedClaims(claimsOfAll(registry.values()), reservationsIn(settings), present);
  return request.port === undefined
    ? chooseFromPool(poolOf(settings), request, present.host, planned)
    : checkAskedFor(registry, request, request.port, present.host, planned);
}

/** Returns the range of ports for new blocks. */
export function poolOf({ poolFirst, poolLast }: Pick<Settings, "poolFirst" | "poolLast">): PortRange {
  return { first: poolFirst, last: poolLast };
}

/** Everything that claims ports and is written down somewhere, besides those of `profiles`. */
function plannedClaims(
  profiles: readonly PortClaim[],
  reservations: readonly Reservation[],
  { installed, elsewhere, overrides }: PortSituation,
): readonly PortClaim[] {
  return [...profiles, ...reservations.map(reservationClaim), ...overrides, ...installed, ...elsewhere];
}

/** What is known of the ports, for a plan. */
export interface PlanBasis {
  readonly pool: PortRange;
  /** The claims of all profiles. */
  readonly profiles: readonly PortClaim[];
  readonly reservations: readonly Reservation[];
  readonly situation: PortSituation;
}

/**
 * Returns the block that `create` would try first, or undefined when the pool has none. Binds nothing: a look must not be in
 * the way of a program that is just starting. So it does not see sockets that are bound and do not listen.
 */
export function nextClaimedByNobody(span: number, basis: PlanBasis): PortRange | undefined {
  const { pool, profiles, reservations, situation } = basis;
  const planned = plannedClaims(profiles, reservations, situation);
  return planBlock({ span, pool, claims: [...planned, ...hostClaims(situation.host)] });
}

/**
 * Returns the block that `create` would choose now, or null when the pool has none.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED
 * @throws {GatewayLockError} BIND_FAILED
 */
export async function nextFreeBlock(
  home: string,
  registry: Registry,
  request: Omit<BlockRequest, "port">,
  situation?: PortSituation,
): Promise<PortRange | null> {
  try {
    return await chooseBlock(home, registry, request, situation);
  } catch (error) {
    if (error instanceof LockkeeperError && error.code === "PORTS_EXHAUSTED") return null;
    throw error;
  }
}

/** Returns the block that a `create` with that span would get now; null when the pool is exhausted. */
export async function nextBlockOf(home: string, span: number = kinds.builtin.span): Promise<PortRange | null> {
  if (!isPort(span)) {
    throw new LockkeeperError("OPTION_INVALID", `not a span: ${JSON.stringify(span)}`, {
      hint: `A span is a whole number of ports, from 1 to ${HIGHEST_PORT}.`,
    });
  }
  return nextFreeBlock(home, readRegistry(home), { host: DEFAULT_HOST, span });
}

async function chooseFromPool(
  pool: PortRange,
  { host: address, span }: BlockRequest,
  host: HostPorts,
  planned: readonly PortClaim[],
): Promise<PortRange> {
  const claims = [...planned, ...hostClaims(host)];
  let from = pool.first;
  for (;;) {
    const block = planBlock({ span, pool, claims }, from);
    if (block === undefined) throw exhausted(span, pool, measurePool(pool, claims));
    const unusable = await findUnusablePort(address, block, host.listeners);
    if (unusable === undefined) return block;
    if (holdsForAll(unusable)) throw cannotBind(address, unusable);
    from = unusable.port + 1;
  }
}

async function checkAskedFor(
  registry: Registry,
  { host: address, span, kind }: BlockRequest,
  port: number,
  host: HostPorts,
  planned: readonly PortClaim[],
): Promise<PortRange> {
  const block = blockOf({ port, span });
  refuseOverlap(registry, [block], planned);
  const isPrivileged = port < host.unprivilegedFrom && process.geteuid?.() !== 0;
  if (isPrivileged && kind !== "command") {
    throw new LockkeeperError(
      "PERMISSION_DENIED",
      `port ${port} needs a privilege: this user may bind from ${host.unprivilegedFrom} on`,
      {
        hint: `Choose a port from ${host.unprivilegedFrom} on.`,
      },
    );
  }
  const { taken, unusable } = await lookTwice(address, block, host.listeners);
  const isOurs = unusable === undefined || (isPrivileged && unusable.errno === "EACCES");
  if (taken.length === 0 && isOurs) return block;
  if (taken.length === 0 && unusable !== undefined && holdsForAll(unusable)) throw cannotBind(address, unusable);
  const held = taken[0]?.port ?? unusable?.port ?? port;
  throw portInUse(address, held, {
    message: `port ${held} of the block ${formatRange(block)} is in use`,
    evidence: describeListeners(taken),
    hint: "Omit --port to get a free block, or stop the process that holds it.",
  });
}

/** A `create` in another home that tries the same port holds it for a moment: whoever has it still after this holds it. */
const PROBE_MS = 50;

/** Returns who has ports of the block. What is in the way of a bind is looked at a second time, a little later. */
async function lookTwice(
  address: string,
  block: PortRange,
  seen: HostPorts["listeners"],
): Promise<{ readonly taken: readonly Listener[]; readonly unusable: UnusablePort | undefined }> {
  const look = async (
    listeners: HostPorts["listeners"],
  ): Promise<{ taken: readonly Listener[]; unusable: UnusablePort | undefined }> => ({
    taken: (listeners === "unknown" ? [] : listeners).filter(
      (each) => isWithin(block, each.port) && coversAddress(each, address) === "yes",
    ),
    unusable: await findUnusablePort(address, block, listeners),
  });
  const first = await look(seen);
  if (first.taken.length === 0 && first.unusable?.verdict !== "taken") return first;
  // Not in step with the other one.
  await pause(PROBE_MS * (1 + Math.random()), undefined);
  return look(readListeners());
}

/** The cause is not this port: trying the next ones would fail in the same way, thousands of times. */
function holdsForAll({ verdict, errno }: UnusablePort): boolean {
  return verdict === "unknown" && errno !== "EACCES" && errno !== "EPERM";
}

function cannotBind(address: string, { port, errno }: UnusablePort): LockkeeperError {
  // The cause is this process, not the address.
  if (errno === "EMFILE" || errno === "ENFILE") {
    const cause = Object.assign(new Error(errno), { code: errno });
    return fileError(cause, "probe the port", `${address}:${port}`);
  }
  return new GatewayLockError("BIND_FAILED", `cannot listen on ${address} (tried port ${port}): ${errno}`, {
    hint: "Give --host an address of this machine; 127.0.0.1 is the default.",
  });
}

const WORDS: Readonly<Record<PoolUse["by"], string>> = {
  profile: "profiles",
  reservation: "reservations",
  installation: "installations of other programs",
  listener: "listeners",
  ephemeral: "the host's ephemeral range",
  reserved: "the host's reserved ports",
  browser: "ports that browsers refuse",
};

function exhausted(span: number, pool: PortRange, uses: readonly PoolUse[]): LockkeeperError {
  const total = Math.max(0, pool.last - pool.first + 1);
  const used = uses.map(({ by, ports, owners }) => {
    const counted = by === "profile" || by === "reservation" || by === "installation" || by === "listener";
    return `${ports} by ${counted ? `${owners} ` : ""}${WORDS[by]}`;
  });
  return new LockkeeperError(
    "PORTS_EXHAUSTED",
    `no ${span} ports in a row are free in the pool ${formatRange(pool)} (${total} ports; used: ${used.join(", ") || "none"})`,
    {
      hint: `Remove profiles, or widen the pool: lockkeeper config set poolLast ${Math.min(pool.last + 1000, 65_535)}`,
    },
  );
}

function isWithin(range: PortRange, port: number): boolean {
  return port >= range.first && port <= range.last;
}
