/**
 * Judges a listener for a profile: its own, a stranger in its way, or on an address that does not matter to it. Judged for
 * each address and family, because one port may have several listeners that do not disturb each other.
 */
import {
  carriesRun,
  coversAddress,
  describeHolder,
  describeRunOf,
  findHolders,
  findRunProcesses,
  hostWithPort,
  isOutsideSocket,
  probeBind,
} from "@lockkeeper/core/internal";
import type { Holder, Listener } from "@lockkeeper/core/internal";
import type { HomePlace } from "../context.ts";
import { asStarted } from "../manifest.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { isServing } from "../status/observed-state.ts";

/**
 * `own`: the profile's run holds it, here or where its keeper lives. `elsewhere`: an address that does not hinder the profile.
 * `outside`: it began to listen during a run of the profile, in a process that is no part of it: a daemon that its command handed the
 * work to. `stranger`: it takes a port of the profile; one whose owner is hidden counts as such, because taken is taken. `unclear`: it
 * may be the run's own, by a process that the host hides.
 */
export type ListenerVerdict = "own" | "elsewhere" | "outside" | "stranger" | "unclear";

/** A listener with the visible facts about its holder. */
export interface SeenListener {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** Null, like the next two: the owner is not visible. */
  readonly pid: number | null;
  /** Program and script, without the arguments, any of which may be a secret. */
  readonly command: string | null;
  readonly user: string | null;
}

/** Returns the listener as data for people and scripts. */
export function seen({ address, family, port }: Listener, holder: Holder | undefined): SeenListener {
  return {
    address,
    family,
    port,
    pid: holder?.pid ?? null,
    command: holder?.command ?? null,
    user: holder?.user ?? null,
  };
}

/**
 * Returns one line for each listener: `127.0.0.1:18789 is held by pid 12 (node server.js), user ann`; a gateway of any profile is
 * named with its home, because homes do not know each other's ports.
 */
export function describeListeners(listeners: readonly Listener[]): readonly string[] {
  const holders = findHolders(listeners);
  return listeners.map((listener) => {
    const holder = holders.get(listener);
    const where = hostWithPort(listener.address, listener.port);
    if (holder === undefined) return `${where} is held, owner not visible (uid ${listener.uid})`;
    const run = describeRunOf(holder.pid);
    return `${where} is held by ${run === undefined ? "" : `${run}: `}${describeHolder(holder)}`;
  });
}

/**
 * Returns whether a pid is part of the profile's run; the host's processes are read only when necessary. A run in a container
 * is recognised by the environment of its processes.
 */
export function membershipOf(
  { home }: HomePlace,
  { manifest, record, observed: { gateway, owner } }: ProfileObservation,
): (pid: number) => boolean {
  if (owner === "nobody") return () => false;
  const marks = { nonce: record?.nonce ?? "", profile: manifest.name, home };
  let members: ReadonlySet<number> | undefined;
  return (pid) => {
    if (pid === gateway?.pid || carriesRun(pid, marks)) return true;
    if (gateway === null) return false;
    members ??= new Set(findRunProcesses({ leader: gateway, ...marks }).map((each) => each.pid));
    return members.has(pid);
  };
}

/** Returns the verdict on `listener` for the observed profile. */
export async function judgeListener(
  listener: Listener,
  { manifest, record, observed }: ProfileObservation,
  holder: Holder | undefined,
  owns: (pid: number) => boolean,
): Promise<ListenerVerdict> {
  const { owner } = observed;
  const { host, health } = asStarted(manifest, record);
  if (holder !== undefined && owns(holder.pid)) return "own";
  if (coversAddress(listener, host) === "no") return "elsewhere";
  // The table does not say whether `::` takes IPv4 too; a bind that is released at once does.
  if (listener.v6only === "unknown" && (await probeBind(host, listener.port)).verdict === "free") return "elsewhere";
  if (isOutsideSocket(listener, record?.outside)) return "outside";
  if (owner === "nobody" || listener.port !== record?.port) return "stranger";
  // Its keeper holds the lock and has published that the listener is its own: a process that we may not inspect is no stranger then.
  const isSaid = health !== "none" && isServing(observed) && listener.uid === process.geteuid?.();
  if (holder === undefined) return isSaid ? "own" : "unclear";
  // It may be what passes connections on into the container.
  if (owner === "elsewhere") return "unclear";
  // Without a health check the port was free when the run began, and nobody has asked since whose its listener is.
  return health === "none" ? "outside" : "stranger";
}
