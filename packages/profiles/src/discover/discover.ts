/**
 * Every gateway on this host, managed or not. Changes nothing, on an untouched machine too: files are read, sockets
 * listed, and listeners of this machine asked for their health. No service manager and no OpenClaw program is called.
 */
import { hostWithPort, LockkeeperError } from "@lockkeeper/core";
import { existsSync, lstatSync, realpathSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { observeAll } from "../status/observe-all.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { claimsOf } from "../ports/openclaw-claims.ts";
import { namedRanges } from "../ports/port-claims.ts";
import { readRegistry, type Registry } from "../registry/registry.ts";
import { findListeningPorts, type ListeningPort } from "./answering-listeners.ts";
import {
  type DiscoveredGateway,
  type Discovery,
  type GatewaySource,
  type Manager,
  withOverlaps,
} from "./discovered-gateway.ts";
import { type HostRoots, hostRoots } from "../service-units/host-roots.ts";
import { type LocatedInstance, locateInstances } from "./located-instance.ts";
import { findOpenClawInstances, instanceHost } from "./openclaw-instances.ts";
import { readGatewayUnits, type ServiceUnit, unitProfile } from "../service-units/service-units.ts";

/** Where `discover` looks, and until when. */
export interface DiscoverOptions {
  /** Where to look for traces. @default the usual places of this user */
  readonly roots?: HostRoots | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Returns every gateway that left a trace, those of this home first, with the commands that adopt the others. */
export async function discoverGateways(context: ProfilesContext, options: DiscoverOptions = {}): Promise<Discovery> {
  const roots = options.roots ?? hostRoots(context.env);
  const { registry, faults } = readProfiles(context.home);
  const listening = await findListeningPorts(options.signal);
  const ports = listening === "unknown" ? [] : listening;
  const profilePorts = new Set([...registry.values()].map(({ port }) => port));
  const instances = locateInstances(await findOpenClawInstances(roots), ports, profilePorts);
  const units = readGatewayUnits(roots.unitDirectories).filter((unit) => unitProfile(unit) !== undefined);
  const observations = await observeAll(context, [...registry.values()]);
  const gateways = observations.map((observation) =>
    profileGateway(context.home, observation, ports, instances, units),
  );
  const adopted = new Set(gateways.map(({ stateDir }) => stateDir));
  for (const located of instances) {
    if (!adopted.has(located.instance.realStateDir)) gateways.push(instanceGateway(located));
  }
  for (const unit of units) {
    const gateway = strangerUnit(context.home, unit, registry);
    if (gateway !== undefined) gateways.push(gateway);
  }
  const accounted = new Set(gateways.flatMap(({ owner, port }) => [owner?.pid, port]));
  for (const found of ports) {
    if (found.health !== "ok" || accounted.has(found.port) || accounted.has(found.owner?.pid ?? -1)) continue;
    gateways.push(listenerGateway(found));
  }
  return {
    gateways: withOverlaps(gateways),
    looked: placesOf(context.home, roots),
    listeners: listening === "unknown" ? "unknown" : "seen",
    faults,
    adopt: gateways.flatMap(({ adopt }) => adopt ?? []),
  };
}

/** A damaged registry must not hide the rest of the host. */
function readProfiles(home: string): { readonly registry: Registry; readonly faults: readonly string[] } {
  try {
    return { registry: readRegistry(home), faults: [] };
  } catch (error) {
    if (error instanceof LockkeeperError) return { registry: new Map(), faults: [error.message] };
    throw error;
  }
}

function profileGateway(
  home: string,
  { manifest, record, observed: { gateway } }: ProfileObservation,
  listening: readonly ListeningPort[],
  instances: readonly LocatedInstance[],
  units: readonly ServiceUnit[],
): DiscoveredGateway {
  const port = gateway === null || record === undefined ? manifest.port : record.port;
  const stateDir = realPath(manifest.paths.state);
  const adopted = instances.find(({ instance }) => instance.realStateDir === stateDir);
  const live =
    listening.find((each) => each.port === port && (gateway === null || each.owner?.pid === gateway.pid)) ?? null;
  const ours = units.filter((unit) => startsProfile(home, unit, manifest.name));
  return {
    sources: [...new Set<GatewaySource>(["profile", ...(adopted?.instance.sources ?? []), ...seen(live, ours)])],
    name: manifest.name,
    program: manifest.kind === "openclaw" ? "openclaw" : "lockkeeper",
    host: manifest.host,
    port,
    portSource: "profile",
    listening: live?.addresses ?? [],
    ranges: namedRanges(manifest),
    owner: live?.owner ?? null,
    health: live?.health ?? "unknown",
    managers: [
      { kind: "profile", name: manifest.name },
      ...(adopted === undefined ? [] : managersOf(adopted)),
      ...ours.map((unit): Manager => ({ kind: "unit", unit })),
    ],
    stateDir,
    configPath: manifest.paths.config,
    overlaps: [],
    notes: adopted?.notes ?? [],
    adopt: null,
  };
}

function instanceGateway(located: LocatedInstance): DiscoveredGateway {
  const { instance, port, portSource, live, notes } = located;
  const claims = claimsOf(instance.name, instance.config.document, port ?? undefined);
  return {
    sources: [...new Set([...instance.sources, ...seen(live, [])])],
    name: instance.name,
    program: "openclaw",
    host: instanceHost(instance),
    port,
    portSource,
    listening: live?.addresses ?? [],
    ranges: claims.map(({ label, first, last }) => ({ label, first, last })),
    owner: live?.owner ?? null,
    health: live?.health ?? "unknown",
    managers: managersOf(located),
    stateDir: instance.realStateDir ?? instance.stateDir,
    configPath: instance.configPath,
    overlaps: [],
    notes,
    adopt: port === null ? null : adoptCommand(located),
  };
}

/** A link is not adopted by its own name: it may lead elsewhere tomorrow. */
function adoptCommand({ instance: { name, stateDir, realStateDir } }: LocatedInstance): string | null {
  if (realStateDir === null) return null;
  const command = `lockkeeper import openclaw ${name}`;
  return lstatSync(stateDir).isSymbolicLink() ? `${command} --state-dir ${realStateDir}` : command;
}

function listenerGateway({ port, addresses, owner, health }: ListeningPort): DiscoveredGateway {
  const [host = "127.0.0.1"] = addresses;
  const command = owner?.command ?? "";
  return {
    sources: ["listener"],
    name: hostWithPort(host, port),
    program: /openclaw/i.test(command) ? "openclaw" : /lockkeeper/.test(command) ? "lockkeeper" : "unknown",
    host,
    port,
    portSource: "listener",
    listening: addresses,
    ranges: [{ label: "gateway", first: port, last: port }],
    owner,
    health,
    managers: [],
    stateDir: null,
    configPath: null,
    overlaps: [],
    notes: [],
    adopt: null,
  };
}

/** A unit that runs a profile of another home, or one that does not exist any more. */
function strangerUnit(home: string, unit: ServiceUnit, registry: Registry): DiscoveredGateway | undefined {
  const run = unitProfile(unit);
  if (run === undefined) return undefined;
  const { name } = run;
  const itsHome = run.home ?? home;
  if (registry.has(name) && itsHome === home) return undefined;
  return {
    sources: ["unit"],
    name,
    program: "lockkeeper",
    host: "127.0.0.1",
    port: null,
    portSource: null,
    listening: [],
    ranges: [],
    owner: null,
    health: "unknown",
    managers: [{ kind: "unit", unit }],
    stateDir: null,
    configPath: null,
    overlaps: [],
    notes: [itsHome === home ? `the unit starts a profile that does not exist in ${home}` : `a profile of ${itsHome}`],
    adopt: null,
  };
}

function startsProfile(home: string, unit: ServiceUnit, name: string): boolean {
  const run = unitProfile(unit);
  return run?.name === name && (run.home ?? home) === home;
}

function managersOf({ instance }: LocatedInstance): readonly Manager[] {
  const units = instance.units.map((unit): Manager => ({ kind: "unit", unit }));
  return instance.app === null ? units : [...units, { kind: "app", path: instance.app }];
}

function seen(live: ListeningPort | null, units: readonly ServiceUnit[]): readonly GatewaySource[] {
  return [...(units.length > 0 ? (["unit"] as const) : []), ...(live === null ? [] : (["listener"] as const))];
}

function placesOf(home: string, { userHome, unitDirectories, applications }: HostRoots): readonly string[] {
  return [
    home,
    path.join(userHome, ".openclaw"),
    path.join(userHome, ".openclaw-*"),
    ...unitDirectories.map((directory) => directory.path),
    ...applications,
    "listeners on this host",
  ];
}

function realPath(directory: string): string {
  return existsSync(directory) ? realpathSync(directory) : directory;
}
