/**
 * Compares the plan with the host: every block, its real listeners, and conflicts. One pass over the host's sockets and one
 * over its processes, for any number of profiles. Changes nothing.
 */
import { DEFAULT_HOST } from "@lockkeeper/core";
import { describeHolder, describeRunOf, findHolders } from "@lockkeeper/core/internal";
import type { FileOwner, Holder, Listener } from "@lockkeeper/core/internal";
import type { HomePlace } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import { judgeListener, membershipOf, seen } from "./listener-verdict.ts";
import type { ListenerVerdict, SeenListener } from "./listener-verdict.ts";
import { HANDED_ON } from "./handed-on.ts";
import { observeAll } from "../status/observe-all.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import type { ProfileState } from "../status/observed-state.ts";
import { findPlanConflicts } from "./plan-conflicts.ts";
import type { PortConflict } from "./plan-conflicts.ts";
import { nextClaimedByNobody, nextFreeBlock, poolOf, readPortSituation } from "./port-choice.ts";
import type { PortSituation } from "./port-choice.ts";
import { blockOf, claimsOfAll, namedRanges } from "./port-claims.ts";
import type { PortClaim, PortRange } from "./port-plan.ts";
import { reservationClaim, reservationsIn } from "./reservations.ts";
import type { Reservation } from "./reservations.ts";
import { readRegistry } from "../registry/registry.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import { readSettings } from "../settings/settings.ts";

/** One profile's block, and its listeners. */
export interface BlockReport {
  readonly profile: string;
  /** First and last port of the block, both included. */
  readonly port: number;
  readonly end: number;
  readonly ports: Readonly<Record<string, number>>;
  /** Named ports, each with its whole range. */
  readonly ranges: readonly (PortRange & { readonly label: string })[];
  readonly state: ProfileState;
  /** All listeners on ports of the block now. */
  readonly listeners: readonly (SeenListener & { readonly verdict: ListenerVerdict })[];
}

/** A contract with scripts: fields are added, never renamed or removed. */
export interface PortsReport {
  readonly pool: PortRange;
  /** `assumed`: the host does not say, so the usual range is excluded. */
  readonly ephemeral: PortRange & { readonly source: "read" | "assumed" };
  /** `unknown`: the host does not list its listeners, so conflicts with them are invisible. */
  readonly sockets: "read" | "unknown";
  /** Sorted by port. */
  readonly blocks: readonly BlockReport[];
  readonly conflicts: readonly PortConflict[];
  /** Base of the block that a next built-in gateway would be tried on; null when the pool is exhausted. */
  readonly nextFree: number | null;
  /** Ports that are reserved for other programs. */
  readonly reservations: readonly Reservation[];
  /** Claims of installations of other programs. */
  readonly openclaw: readonly (PortRange & {
    readonly program: string;
    readonly owner: string;
    readonly label: string;
  })[];
  /** Listeners in the pool outside of all blocks. */
  readonly others: readonly SeenListener[];
}

/** What a caller has just looked at. @default each is looked at */
export interface SeenBefore {
  /** All profiles. */
  readonly observed?: readonly ProfileObservation[];
  readonly roots?: HostRoots;
}

/**
 * Returns the ports of all profiles of `home` compared with the host. `owner: "any"`: for display only.
 *
 * @throws {LockkeeperError} REGISTRY_DAMAGED, CONFIG_DAMAGED
 */
export async function portsReport(
  home: string,
  owner?: FileOwner,
  { observed, roots }: SeenBefore = {},
): Promise<PortsReport> {
  const registry = readRegistry(home, owner);
  const settings = readSettings(home);
  const pool = poolOf(settings);
  const situation = await readPortSituation(home, registry, roots);
  const manifests = [...registry.values()];
  // An installation that a profile runs counts as that profile: its ports are in the profile's block.
  const adopted = new Set(manifests.map(({ paths }) => paths.state));
  const installed = situation.installed.filter(({ stateDir }) => !adopted.has(stateDir));
  const reservations = reservationsIn(settings);
  const profiles = claimsOfAll(manifests);
  const claims = [...profiles, ...reservations.map(reservationClaim), ...situation.overrides, ...installed];
  const observations = observed ?? (await observeAll({ home, owner }, manifests));
  const { blocks, others, runners } = await auditBlocks({ home, owner }, observations, profiles, pool, situation);
  const { span } = kinds.builtin;
  const next =
    situation.host.listeners === "unknown"
      ? await nextFreeBlock(home, registry, { host: DEFAULT_HOST, span }, situation)
      : nextClaimedByNobody(span, { pool, profiles, reservations, situation });
  return {
    pool,
    ephemeral: situation.host.ephemeral,
    sockets: situation.host.listeners === "unknown" ? "unknown" : "read",
    blocks,
    conflicts: [...findPlanConflicts(claims), ...findStrangers(blocks, runners)],
    nextFree: next?.first ?? null,
    reservations,
    openclaw: installed.map(({ first, last, program, owner: whose, label }) => ({
      first,
      last,
      program,
      owner: whose,
      label,
    })),
    others,
  };
}

interface Audit {
  readonly blocks: readonly BlockReport[];
  readonly others: readonly SeenListener[];
  /** The profile of each living gateway process, by pid. */
  readonly runners: ReadonlyMap<number, string>;
}

async function auditBlocks(
  place: HomePlace,
  observations: readonly ProfileObservation[],
  planned: readonly PortClaim[],
  pool: PortRange,
  { host: { listeners }, overrides }: PortSituation,
): Promise<Audit> {
  const moved = new Map<string, PortClaim[]>();
  for (const claim of [...overrides, ...observations.flatMap(runElsewhere)]) {
    moved.set(claim.owner, [...(moved.get(claim.owner) ?? []), claim]);
  }
  const table = new ListenerTable(listeners === "unknown" ? [] : listeners);
  const inBlocks = new Map<string, Set<Listener>>();
  for (const claims of [planned, ...moved.values()]) {
    for (const claim of claims) {
      const found = table.take(claim);
      if (found.length === 0) continue;
      const known = inBlocks.get(claim.owner) ?? new Set();
      for (const listener of found) known.add(listener);
      inBlocks.set(claim.owner, known);
    }
  }
  const others = table.notTaken().filter(({ port }) => port >= pool.first && port <= pool.last);
  const holders = findHolders([...new Set([...inBlocks.values()].flatMap((found) => [...found])), ...others]);
  const runners = new Map<number, string>();
  const blocks: BlockReport[] = [];
  for (const observation of observations) {
    const { manifest, observed } = observation;
    const { name: profile, port, span, ports } = manifest;
    if (observed.gateway !== null) runners.set(observed.gateway.pid, profile);
    const found = inBlocks.get(profile);
    const judged = found === undefined ? [] : await judgeEach(place, observation, [...found], holders);
    const elsewhere = moved.get(profile)?.map(({ label, first, last }) => ({ label, first, last }));
    const named = namedRanges(manifest);
    const ranges = elsewhere === undefined ? named : [...named, ...elsewhere];
    blocks.push({ profile, port, end: port + span - 1, ports, ranges, state: observed.state, listeners: judged });
  }
  blocks.sort((a, b) => a.port - b.port);
  return { blocks, others: others.map((listener) => seen(listener, holders.get(listener))), runners };
}

async function judgeEach(
  place: HomePlace,
  observation: ProfileObservation,
  listeners: readonly Listener[],
  holders: ReadonlyMap<Listener, Holder>,
): Promise<BlockReport["listeners"]> {
  const owns = membershipOf(place, observation);
  const judged: (SeenListener & { verdict: ListenerVerdict })[] = [];
  for (const listener of listeners) {
    const holder = holders.get(listener);
    const verdict = await judgeListener(listener, observation, holder, owns);
    judged.push({ ...seen(listener, holder), verdict });
  }
  return judged;
}

/** Listeners by port. Most blocks have none, so a range costs one search in the ports that have. */
class ListenerTable {
  readonly #byPort = new Map<number, Listener[]>();
  readonly #ports: readonly number[];
  readonly #taken = new Set<number>();

  constructor(listeners: readonly Listener[]) {
    for (const listener of listeners) {
      const same = this.#byPort.get(listener.port);
      if (same === undefined) this.#byPort.set(listener.port, [listener]);
      else same.push(listener);
    }
    this.#ports = [...this.#byPort.keys()].sort((a, b) => a - b);
  }

  /** Returns the listeners on ports of the range. They may be taken for another profile too. */
  take({ first, last }: PortRange): readonly Listener[] {
    let found = NONE;
    for (let at = this.#indexFrom(first); at < this.#ports.length; at += 1) {
      const port = this.#ports[at] ?? last + 1;
      if (port > last) break;
      this.#taken.add(port);
      found = [...found, ...(this.#byPort.get(port) ?? NONE)];
    }
    return found;
  }

  /** Returns the listeners on ports that were taken for nobody. */
  notTaken(): readonly Listener[] {
    return [...this.#byPort].flatMap(([port, listeners]) => (this.#taken.has(port) ? NONE : listeners));
  }

  /** The index of the lowest port from `first` on. */
  #indexFrom(first: number): number {
    let [low, high] = [0, this.#ports.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ports[middle] ?? 0) < first) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const NONE: readonly Listener[] = [];

/** The block of a run on another port than the profile's own; nothing for other runs. */
function runElsewhere({ manifest, observed, record }: ProfileObservation): readonly PortClaim[] {
  if (observed.gateway === null || record === undefined || record.port === manifest.port) return [];
  const block = blockOf({ port: record.port, span: manifest.span });
  return [{ ...block, by: "profile", owner: manifest.name, label: "this run" }];
}

/**
 * One conflict for each port of a block with another holder, however many sockets it has there. A profile that was started on
 * that port is named.
 */
function findStrangers(blocks: readonly BlockReport[], runners: ReadonlyMap<number, string>): readonly PortConflict[] {
  const heard = blocks.filter(({ listeners }) => listeners.length > 0);
  return heard.flatMap(({ profile, state, listeners }) => {
    // What a run has handed its work to is in the way of the next one.
    const isOver = state === "stopped" || state === "failed" || state === "blocked";
    const strangers = new Map(
      listeners
        .filter(({ verdict }) => verdict === "stranger" || (verdict === "outside" && isOver))
        .map((listener) => [listener.port, listener]),
    );
    return [...strangers.values()].map((listener): PortConflict => {
      const runner = listener.pid === null ? undefined : runners.get(listener.pid);
      const profiles = runner === undefined ? [profile] : [profile, runner];
      // A gateway of another home; one of this home is among the profiles.
      const run = runner === undefined && listener.pid !== null ? describeRunOf(listener.pid) : undefined;
      const owner = `${run === undefined ? "" : `${run}: `}${describeHolder(listener)}`;
      const since = listener.verdict === "outside" ? `; ${HANDED_ON}` : "";
      return { kind: "listener", port: listener.port, profiles, owner: `${owner}${since}` };
    });
  });
}
