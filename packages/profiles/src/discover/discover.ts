/**
 * Finds every gateway on this host, managed or not. Changes nothing, not even on a machine without a home: it reads files,
 * lists sockets and asks local listeners for their health. No service manager and no OpenClaw program is called.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { describeHolder, hostWithPort, realPath } from "@lockkeeper/core/internal";
import { lstatSync } from "node:fs";
import path from "node:path";
import type { HomePlace, ProfilesContext } from "../context.ts";
import type { KindName } from "../manifest.ts";
import { membershipOf } from "../ports/listener-verdict.ts";
import { askHealth } from "../status/ask-health.ts";
import { observeAll } from "../status/observe-all.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { namedRanges } from "../ports/port-claims.ts";
import { readRegistry } from "../registry/registry.ts";
import type { Registry } from "../registry/registry.ts";
import { isFreeName } from "../life/refuse-existing.ts";
import { adoptCommand, freeNameFor } from "./adopt-command.ts";
import { findListeningPorts } from "./answering-listeners.ts";
import type { ListeningPort } from "./answering-listeners.ts";
import { withOverlaps } from "./discovered-gateway.ts";
import type { DiscoveredGateway, Discovery, GatewaySource, Manager } from "./discovered-gateway.ts";
import { hostRoots } from "../service-units/host-roots.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import { foreignPrograms, kinds } from "../kinds/kinds.ts";
import { livingElsewhere } from "./living-elsewhere.ts";
import { locateInstallations } from "./located-installation.ts";
import type { LocatedInstallation } from "./located-installation.ts";
import { readGatewayUnits, unitProfile } from "../service-units/service-units.ts";
import type { ServiceUnit } from "../service-units/service-units.ts";

/** Where `discover` searches, and when it stops. */
export interface DiscoverOptions {
  /** Where to search for installations. @default the usual places of this user */
  readonly roots?: HostRoots | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Returns every gateway that was found, those of this home first, with the commands that adopt the others. */
export async function discoverGateways(context: ProfilesContext, options: DiscoverOptions = {}): Promise<Discovery> {
  const roots = options.roots ?? hostRoots(context.env);
  const { registry, faults } = readProfiles(context);
  const observations = await observeAll(context, [...registry.values()]);
  const members = observations.map((observation) => membershipOf(context, observation));
  const listening = await findListeningPorts((pid) => members.some((isMember) => isMember(pid)), options.signal);
  const ports = listening === "unknown" ? [] : listening;
  const installations: Installed[] = [];
  const places: string[] = [];
  for (const { kind, program } of await foreignPrograms()) {
    places.push(...program.places(roots));
    const found = locateInstallations(await program.findInstallations(roots), ports);
    const elsewhere = await livingElsewhere(program, roots, ports, found);
    installations.push(
      ...found.map((each) => ({ ...each, kind: kind.name, place: "usual" as const })),
      ...elsewhere.map((each) => ({ ...each, kind: kind.name, place: "elsewhere" as const })),
    );
  }
  const units = readGatewayUnits(roots).filter((unit) => unitProfile(unit) !== undefined);
  const gateways = await Promise.all(
    observations.map((observation, index) =>
      profileGateway(context, observation, members[index] ?? (() => false), ports, installations, units),
    ),
  );
  const adopted = new Set(gateways.map(({ stateDir }) => stateDir));
  const taken = new Set<string>(registry.keys());
  for (const located of installations) {
    if (adopted.has(located.installation.realStateDir)) continue;
    const { name } = located.installation;
    const namesakes = installations.filter(
      ({ installation, place }) => place === "usual" && installation.mine === "yes" && installation.name === name,
    );
    gateways.push(installedGateway(located, adoptionOf(context.home, located, namesakes.length > 1, taken)));
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
    looked: placesOf(context.home, roots, places),
    listeners: listening === "unknown" ? "unknown" : "seen",
    faults,
    adopt: gateways.flatMap(({ adopt }) => adopt ?? []),
  };
}

/** An installation, and the kind that would run it. `usual`: its name alone leads to it. */
type Installed = LocatedInstallation & { readonly kind: KindName; readonly place: "usual" | "elsewhere" };

/** A damaged registry must not hide the rest of the host. */
function readProfiles({ home, owner }: HomePlace): { readonly registry: Registry; readonly faults: readonly string[] } {
  try {
    return { registry: readRegistry(home, owner), faults: [] };
  } catch (error) {
    if (error instanceof LockkeeperError) return { registry: new Map(), faults: [error.message] };
    throw error;
  }
}

async function profileGateway(
  { home, owner: readAs }: HomePlace,
  observation: ProfileObservation,
  isMember: (pid: number) => boolean,
  listening: readonly ListeningPort[],
  installations: readonly Installed[],
  units: readonly ServiceUnit[],
): Promise<DiscoveredGateway> {
  const { manifest, record, observed } = observation;
  const stateDir = realPath(manifest.paths.state);
  const adopted = installations.find(({ installation }) => installation.realStateDir === stateDir);
  const { state, gateway } = observed;
  const port = observed.port ?? (gateway === null || record === undefined ? manifest.port : record.port);
  const onPort = listening.filter((each) => each.port === port);
  // A script runner listens by a process below the one that was started.
  const live = onPort.find(({ owner }) => owner !== null && isMember(owner.pid)) ?? null;
  const stranger = live === null ? onPort.find(({ owner }) => owner !== null) : undefined;
  const ours = units.filter((unit) => startsProfile(home, unit, manifest.name));
  return {
    sources: [...new Set<GatewaySource>(["profile", ...(adopted?.installation.sources ?? []), ...seen(live, ours)])],
    name: manifest.name,
    program: kinds[manifest.kind].foreign === undefined ? "lockkeeper" : manifest.kind,
    host: manifest.host,
    port,
    portSource: "profile",
    listening: live?.addresses ?? [],
    ranges: namedRanges(manifest),
    owner: live?.owner ?? null,
    // Another user's manifest may name any host, which is not called; what listens here was asked already.
    health:
      live === null
        ? "unknown"
        : readAs === "any"
          ? live.health
          : await askHealth({ home }, observation, { host: manifest.host, port }),
    managers: [
      // A profile whose gateway another manager runs does not start it.
      ...(state === "external" ? [] : [{ kind: "profile", name: manifest.name } as const]),
      ...(adopted === undefined ? [] : managersOf(adopted)),
      ...ours.map((unit): Manager => ({ kind: "unit", unit })),
    ],
    stateDir,
    configPath: manifest.paths.config,
    overlaps: [],
    notes: [
      ...(adopted?.installation.notes ?? []),
      ...(stranger === undefined
        ? []
        : [`port ${port} is held by ${describeHolder(stranger.owner)}, which is not its gateway`]),
    ],
    adopt: null,
  };
}

function installedGateway(located: Installed, adopt: string | null): DiscoveredGateway {
  const { kind, installation, live, notes } = located;
  const { name, sources, host, port, portSource, ranges, stateDir, realStateDir, configPath } = installation;
  return {
    sources: [...new Set([...sources, ...seen(live, [])])],
    name,
    program: kind,
    host,
    port: port ?? live?.port ?? null,
    portSource: portSource ?? (live === null ? null : "listener"),
    listening: live?.addresses ?? [],
    ranges: port === null ? [] : ranges,
    owner: live?.owner ?? null,
    health: live?.health ?? "unknown",
    managers: managersOf(located),
    stateDir: realStateDir ?? stateDir,
    configPath,
    overlaps: [],
    notes: installation.mine === "yes" ? notes : [`it belongs to ${installation.userHome}`, ...notes],
    adopt,
  };
}

/**
 * Returns the command that adopts it, or null. The name in it is free, and no earlier command gives it. The command names the state
 * directory for a link, which may lead elsewhere tomorrow, for a gateway of another home or in an unusual place, and for each of
 * several namesakes.
 */
function adoptionOf(
  home: string,
  { kind, place, installation: { name, mine, port, stateDir, realStateDir } }: Installed,
  hasNamesake: boolean,
  taken: Set<string>,
): string | null {
  // A name like `--all`, which no program gives but a unit may have, would be an option of the command.
  if (port === null || realStateDir === null || name.startsWith("-")) return null;
  const plain = place === "usual" && mine === "yes" && !hasNamesake && !lstatSync(stateDir).isSymbolicLink();
  const asked = { kind: { name: kind }, name, stateDir: plain ? undefined : realStateDir };
  const as = freeNameFor(asked, (free) => isFreeName(home, taken, free));
  taken.add(as);
  return adoptCommand(asked, as);
}

function listenerGateway({ port, addresses, owner, health }: ListeningPort): DiscoveredGateway {
  const [host = "127.0.0.1"] = addresses;
  return {
    sources: ["listener"],
    name: hostWithPort(host, port),
    program: programOf(owner?.command ?? ""),
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

/** Judged by the name that the process gives itself: good enough for display, never for an action. */
function programOf(command: string): string {
  const foreign = Object.values(kinds).filter((kind) => kind.foreign !== undefined);
  const words = command
    .toLowerCase()
    .split(/\s+/)
    .map((word) => path.basename(word));
  const named = foreign.find(({ name }) => words.some((word) => word.includes(name)));
  return named?.name ?? (/lockkeeper/.test(command) ? "lockkeeper" : "unknown");
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

function managersOf({ installation }: LocatedInstallation): readonly Manager[] {
  const units = installation.units.map((unit): Manager => ({ kind: "unit", unit }));
  return installation.app === null ? units : [...units, { kind: "app", path: installation.app }];
}

function seen(live: ListeningPort | null, units: readonly ServiceUnit[]): readonly GatewaySource[] {
  return [...(units.length > 0 ? (["unit"] as const) : []), ...(live === null ? [] : (["listener"] as const))];
}

function placesOf(
  home: string,
  { unitDirectories, applications }: HostRoots,
  programs: readonly string[],
): readonly string[] {
  return [
    home,
    ...programs,
    ...unitDirectories.map((directory) => directory.path),
    ...applications,
    "listeners on this host",
  ];
}
