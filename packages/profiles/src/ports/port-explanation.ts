/** Explains one port: the plans that contain it, its present holder, and whether it is free. */
import { DEFAULT_HOST } from "@lockkeeper/core";
import { describeRunOf, findHolders, probeBind, readClosingPorts } from "@lockkeeper/core/internal";
import type { FileOwner } from "@lockkeeper/core/internal";
import { BROWSER_REFUSED_PORTS } from "./browser-ports.ts";
import { seen } from "./listener-verdict.ts";
import type { SeenListener } from "./listener-verdict.ts";
import { readPortSituation } from "./port-choice.ts";
import { namedRanges, profileClaims } from "./port-claims.ts";
import { overlaps } from "./port-plan.ts";
import type { PortRange } from "./port-plan.ts";
import { readReservations } from "./reservations.ts";
import type { Reservation } from "./reservations.ts";
import { readRegistry } from "../registry/registry.ts";

/** Everything that is known about one port. A contract with scripts: fields are added, never renamed or removed. */
export interface PortExplanation {
  readonly port: number;
  /** Profiles whose block or derived range contains it. */
  readonly profiles: readonly {
    readonly profile: string;
    readonly block: PortRange;
    /** The named range that contains it; null for an unnamed port of the block. */
    readonly label: string | null;
    readonly range: PortRange | null;
    /** When the profile was created and got the port; ISO 8601. */
    readonly since: string;
  }[];
  /** The reservations that contain it. */
  readonly reservations: readonly Reservation[];
  /** Claims of installations of other programs. */
  readonly openclaw: readonly (PortRange & {
    readonly program: string;
    readonly owner: string;
    readonly label: string;
  })[];
  /** `run` names the gateway's profile and home, for a gateway of any profile; else null. */
  readonly listeners: readonly (SeenListener & { readonly run: string | null })[];
  /** `unknown`: the host does not list its listeners. */
  readonly sockets: "read" | "unknown";
  /** Closed connections linger on it (TIME_WAIT); they block nothing. */
  readonly closing: "yes" | "no" | "unknown";
  /** The result of a bind on the default address now. */
  readonly bind: "free" | "taken" | "unknown";
  readonly ephemeral: "yes" | "no";
  readonly reserved: "yes" | "no";
  readonly browserRefused: "yes" | "no";
}

/**
 * Returns everything that is known about `port`. Changes nothing. `owner: "any"`: for display only.
 *
 * @throws {LockkeeperError} REGISTRY_DAMAGED
 */
export async function explainPort(home: string, port: number, owner?: FileOwner): Promise<PortExplanation> {
  const registry = readRegistry(home, owner);
  const { host, installed, overrides } = await readPortSituation(home, registry);
  const one = { first: port, last: port };
  const listeners = host.listeners === "unknown" ? [] : host.listeners.filter((listener) => listener.port === port);
  const holders = findHolders(listeners);
  const closing = readClosingPorts();
  const claimants = [...registry.values()].flatMap((manifest) => {
    const own = overrides.filter((each) => each.owner === manifest.name);
    const claim = [...profileClaims(manifest), ...own].find((each) => overlaps(each, one));
    const range = [...namedRanges(manifest), ...own].find((each) => overlaps(each, one));
    if (claim === undefined) return [];
    return [
      {
        profile: manifest.name,
        block: { first: claim.first, last: claim.last },
        label: range?.label ?? null,
        range: range === undefined ? null : { first: range.first, last: range.last },
        since: manifest.createdAt,
      },
    ];
  });
  return {
    port,
    profiles: claimants,
    reservations: readReservations(home).filter((range) => overlaps(range, one)),
    openclaw: installed
      .filter((claim) => overlaps(claim, one))
      .map(({ first, last, program, owner: whose, label }) => ({ first, last, program, owner: whose, label })),
    listeners: listeners.map((listener) => {
      const holder = holders.get(listener);
      return { ...seen(listener, holder), run: holder === undefined ? null : (describeRunOf(holder.pid) ?? null) };
    }),
    sockets: host.listeners === "unknown" ? "unknown" : "read",
    closing: closing === "unknown" ? "unknown" : yesNo(closing.has(port)),
    bind: (await probeBind(DEFAULT_HOST, port)).verdict,
    ephemeral: yesNo(overlaps(host.ephemeral, one)),
    reserved: yesNo(host.reserved.some((range) => overlaps(range, one))),
    browserRefused: yesNo(BROWSER_REFUSED_PORTS.has(port)),
  };
}

function yesNo(value: boolean): "yes" | "no" {
  return value ? "yes" : "no";
}
