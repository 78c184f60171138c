/**
 * The OpenClaw gateways that left traces on this host, one instance per state directory: their own profiles on disk
 * (`~/.openclaw`, `~/.openclaw-<name>`), the units that start them, their lock records, the macOS app. Reads only; says
 * where each fact comes from. Shared by `discover` and `import`, so that both see the same host.
 */
import { existsSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { isPort } from "../port-number.ts";
import type { GatewaySource, PortSource } from "./discovered-gateway.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import { type OpenClawConfig, readOpenClawConfig } from "../openclaw/openclaw-config.ts";
import { readOpenClawFolders } from "../openclaw/openclaw-folders.ts";
import { type OpenClawLock, readOpenClawLocks } from "../openclaw/openclaw-locks.ts";
import { readGatewayUnits, type ServiceUnit } from "../service-units/service-units.ts";

/** One OpenClaw gateway, told by its state directory, with everything that points at it. */
export interface OpenClawInstance {
  /** As OpenClaw calls the profile: `default`, `work`. */
  readonly name: string;
  readonly sources: readonly GatewaySource[];
  /** As written; {@link realStateDir} is where it leads. */
  readonly stateDir: string;
  /** Null when there is no such directory. */
  readonly realStateDir: string | null;
  readonly configPath: string;
  readonly config: OpenClawConfig;
  readonly units: readonly ServiceUnit[];
  readonly locks: readonly OpenClawLock[];
  /** The macOS app that runs it, or null. */
  readonly app: string | null;
  /** From the config, else the unit, else a living gateway's lock record. */
  readonly port: number | null;
  readonly portSource: PortSource | null;
}

/** An instance that a person names; nothing on the host may point to it. */
export interface NamedInstance {
  readonly name: string;
  readonly stateDir: string;
}

/** Returns every instance, by name. `named`: one more place to look at. */
export async function findOpenClawInstances(
  roots: HostRoots,
  named?: NamedInstance,
): Promise<readonly OpenClawInstance[]> {
  const units = readGatewayUnits(roots.unitDirectories).filter(startsOpenClaw);
  const places = new Map<string, { name: string; units: ServiceUnit[]; onDisk: boolean }>();
  for (const { name, stateDir } of readOpenClawFolders(roots.userHome))
    places.set(stateDir, { name, units: [], onDisk: true });
  if (named !== undefined && !places.has(named.stateDir)) {
    places.set(named.stateDir, { name: named.name, units: [], onDisk: true });
  }
  for (const unit of units) {
    const name = profileOf(unit);
    const stateDir = expand(unit.environment["OPENCLAW_STATE_DIR"], roots) ?? usualStateDir(roots, name);
    const place = places.get(stateDir) ?? { name, units: [], onDisk: existsSync(stateDir) };
    place.units.push(unit);
    places.set(stateDir, place);
  }
  const app = findApp(roots);
  const instances: OpenClawInstance[] = [];
  for (const [stateDir, { name, units: starters, onDisk }] of places) {
    const configPath = configPathOf(stateDir, starters, roots);
    const config = await readOpenClawConfig(configPath);
    const locks = readOpenClawLocks(stateDir);
    const itsApp = name === "default" ? app : null;
    const sources: GatewaySource[] = [];
    if (onDisk) sources.push("disk");
    if (starters.length > 0) sources.push("unit");
    if (locks.some(({ owner }) => owner !== null)) sources.push("lock");
    if (itsApp !== null) sources.push("app");
    instances.push({
      name,
      sources,
      stateDir,
      realStateDir: realPathIfThere(stateDir),
      configPath,
      config,
      units: starters,
      locks,
      app: itsApp,
      ...portOf(config, starters, locks),
    });
  }
  return instances.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Returns the port that `unit` gives to the gateway that it starts, or null. */
export function unitPort({ argv, environment }: ServiceUnit): number | null {
  const flag = argv.findIndex((argument) => argument === "--port" || argument.startsWith("--port="));
  const argument =
    flag < 0 ? undefined : argv[flag] === "--port" ? argv[flag + 1] : argv[flag]?.slice("--port=".length);
  for (const text of [argument, environment["OPENCLAW_GATEWAY_PORT"]]) {
    if (text !== undefined && /^\d{1,5}$/.test(text) && isPort(Number(text))) return Number(text);
  }
  return null;
}

/** Returns the address that the gateway binds, as far as its config tells; OpenClaw's own default is loopback. */
export function instanceHost({ config }: Pick<OpenClawInstance, "config">): string {
  if (config.bind === "lan" || config.bind === "0.0.0.0") return "0.0.0.0";
  return "127.0.0.1";
}

/** The order in which `import` believes: config, unit, living gateway. */
function portOf(
  config: OpenClawConfig,
  units: readonly ServiceUnit[],
  locks: readonly OpenClawLock[],
): Pick<OpenClawInstance, "port" | "portSource"> {
  if (config.port !== null) return { port: config.port, portSource: "config" };
  for (const unit of units) {
    const port = unitPort(unit);
    if (port !== null) return { port, portSource: "unit" };
  }
  const living = locks.find(({ owner, port }) => owner !== null && port !== null);
  return living === undefined ? { port: null, portSource: null } : { port: living.port, portSource: "lock" };
}

function startsOpenClaw({ argv }: ServiceUnit): boolean {
  return /openclaw/i.test(argv.join(" "));
}

function profileOf({ name, argv, environment }: ServiceUnit): string {
  const flag = argv.indexOf("--profile");
  const named = environment["OPENCLAW_PROFILE"] ?? (flag < 0 ? undefined : argv[flag + 1]);
  if (named !== undefined && named !== "") return named;
  const fromName =
    /^openclaw-gateway-(.+)\.service$/.exec(name)?.[1] ?? /^ai\.openclaw\.(?!gateway$|mac$)(.+)$/.exec(name)?.[1];
  return fromName ?? "default";
}

function usualStateDir({ userHome }: HostRoots, name: string): string {
  return path.join(userHome, name === "default" ? ".openclaw" : `.openclaw-${name}`);
}

function configPathOf(stateDir: string, units: readonly ServiceUnit[], roots: HostRoots): string {
  for (const { environment } of units) {
    const configured = expand(environment["OPENCLAW_CONFIG_PATH"], roots);
    if (configured !== undefined) return configured;
  }
  return path.join(stateDir, "openclaw.json");
}

/** `~` and systemd's `%h` are the user's home; anything that is not absolute then is not followed. */
function expand(value: string | undefined, { userHome }: HostRoots): string | undefined {
  const expanded = value?.replace(/^~(?=\/|$)|%h/, userHome);
  return expanded !== undefined && path.isAbsolute(expanded) ? path.normalize(expanded) : undefined;
}

/** Untested on macOS. */
function findApp({ applications }: HostRoots): string | null {
  return applications.map((folder) => path.join(folder, "OpenClaw.app")).find((app) => isDirectory(app)) ?? null;
}

function realPathIfThere(directory: string): string | null {
  try {
    return realpathSync(directory);
  } catch {
    return null;
  }
}

function isDirectory(directory: string): boolean {
  return statSync(directory, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
