/**
 * The status of a profile: the element of `list --json`. Built in one place from the manifest (the plan) and the observed
 * state (the truth), so that `list`, `status` and every other command agree.
 */
import { gatewayUrl } from "@lockkeeper/core";
import { reachableHost } from "@lockkeeper/core/internal";
import type { GatewayExit, Health, RunRecord } from "@lockkeeper/core";
import { asStarted, schemeOf, withPort } from "../manifest.ts";
import type { KindName, Manifest, Scheme } from "../manifest.ts";
import type { ObservedState, ProfileState } from "./observed-state.ts";
import type { ProfilePaths } from "../profile-paths.ts";

/** The owner of a profile across hosts. A contract with scripts: fields are added, never renamed or removed. */
export interface LeaseStatus {
  readonly key: string;
  /** Host name; null when nobody owns it. Our keeper's last answer when `unknown` gives a reason. */
  readonly owner: string | null;
  /** ISO 8601. */
  readonly since: string | null;
  /** The token of our own run while it owns the lease. */
  readonly token: string | null;
  /** How long the lease lasts without renewal; null when unknown. */
  readonly timeLeftMs: number | null;
  /** Why the engine did not say; null when it did. */
  readonly unknown: string | null;
}

/** A contract with scripts: fields are added, never renamed or removed. */
export interface ProfileStatus {
  readonly name: string;
  /** Whether commands without a name act on it. */
  readonly current: boolean;
  readonly state: ProfileState;
  /** Why, in plain words; null when there is nothing to add. */
  readonly reason: string | null;
  readonly kind: KindName;
  readonly host: string;
  readonly port: number;
  readonly span: number;
  readonly ports: Readonly<Record<string, number>>;
  /** The gateway's own process, or null. */
  readonly pid: number | null;
  readonly keeperPid: number | null;
  /** ISO 8601, or null when no gateway runs. */
  readonly startedAt: string | null;
  readonly uptimeMs: number | null;
  /** How often the gateway was restarted since a person started it; 0 when it never ran. */
  readonly restarts: number;
  /** How the gateway last ended; null when it never ended, or unknown. */
  readonly lastExit: GatewayExit | null;
  readonly health: Health;
  /** The health check: `/path`, `tcp`, `http` or `none`. */
  readonly healthCheck: string;
  /** The scheme of its address. */
  readonly scheme: Scheme;
  readonly groups: readonly string[];
  /** The address at which this machine reaches it: the loopback address for a gateway on every address. */
  readonly url: string;
  readonly protected: boolean;
  /** The command as created, with placeholders; null when the kind has its own program. */
  readonly command: readonly string[] | null;
  readonly cwd: string;
  /** What starts it: our keeper on a person's request, or a service manager. */
  readonly manager: "keeper" | "systemd" | "launchd";
  /** The memory of its processes, if it was requested and is known; proportional where the host reports that. */
  readonly memoryBytes: number | null;
  /** Above this it is restarted; null: never. */
  readonly memoryRestartBytes: number | null;
  /** Its upper limit, enforced where `memoryMaxBy` of `status` names something; null: no limit. */
  readonly memoryMaxBytes: number | null;
  /** It is restarted after this time without an answer; null: never. */
  readonly restartUnresponsiveMs: number | null;
  /** Null for a profile that has no lease. */
  readonly lease: LeaseStatus | null;
  readonly paths: ProfilePaths;
}

/** Returns the status of the profile that `manifest` describes. `now` is in milliseconds since the epoch. */
export function describeProfile(
  manifest: Manifest,
  observed: ObservedState,
  record: RunRecord | undefined,
  current: string | null,
  now: number,
): ProfileStatus {
  const { gateway, keeper } = observed;
  const lives = gateway !== null || observed.owner === "elsewhere";
  const startedAt = lives && record !== undefined ? record.startedAt : null;
  // A run may be on another port; after it the plan applies again.
  const run = lives || keeper !== null ? record : undefined;
  const port = run === undefined ? (observed.port ?? manifest.port) : run.port;
  const started = asStarted(manifest, run);
  const scheme = schemeOf(started);
  return {
    name: manifest.name,
    current: manifest.name === current,
    state: observed.state,
    reason: observed.reason,
    kind: manifest.kind,
    host: manifest.host,
    port,
    span: manifest.span,
    ports: portsOf(manifest, run, port),
    pid: gateway === null ? null : gateway.pid,
    keeperPid: keeper === null ? null : keeper.pid,
    startedAt,
    // The wall clock may have been set back; a running gateway never has a negative age.
    uptimeMs: startedAt === null ? null : Math.max(0, now - Date.parse(startedAt)),
    restarts: record === undefined ? 0 : record.restarts,
    lastExit: record === undefined ? null : record.lastExit,
    health: lives && record !== undefined ? record.health : "unknown",
    healthCheck: started.health,
    scheme,
    groups: manifest.groups ?? NONE,
    url: gatewayUrl(reachableHost(manifest.host), port, scheme),
    protected: manifest.protected,
    command: manifest.command ?? null,
    cwd: manifest.cwd ?? manifest.paths.workspace,
    manager: managerWord(manifest),
    memoryBytes: null,
    memoryRestartBytes: manifest.memoryRestartBytes ?? null,
    memoryMaxBytes: manifest.memoryMaxBytes ?? null,
    restartUnresponsiveMs: manifest.restartUnresponsiveMs ?? null,
    lease: manifest.lease === undefined ? null : describeLease(manifest.lease.key, run),
    paths: manifest.paths,
  };
}

/** Frozen, since all of them share it. */
const NONE: readonly string[] = Object.freeze([]);

function portsOf(manifest: Manifest, run: RunRecord | undefined, port: number): ProfileStatus["ports"] {
  if (run !== undefined) return run.ports;
  return port === manifest.port ? manifest.ports : withPort(manifest, port).ports;
}

/** What our keeper knows; the engine was not asked. */
function describeLease(key: string, run: RunRecord | undefined): LeaseStatus {
  const { owner = null, since = null, token = null } = run?.lease ?? {};
  return { key, owner, since, token, timeLeftMs: null, unknown: "not asked" };
}

/** The unit and `service status` say which systemd it is. */
function managerWord({ service }: Manifest): ProfileStatus["manager"] {
  if (service === undefined) return "keeper";
  return service.manager === "launchd" ? "launchd" : "systemd";
}
