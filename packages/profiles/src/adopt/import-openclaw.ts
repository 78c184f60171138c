/**
 * Adopts OpenClaw gateways in place: a manifest of ours points at their directories, and not a byte of theirs changes. The
 * port is read, never guessed: from the config, then the unit, then the living listener, and written down. A running
 * gateway stays with its manager and is shown as `external` until `takeover`.
 */
import { didYouMean, type ErrorCode, ensurePrivateDirectory, LockkeeperError } from "@lockkeeper/core";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { findListeningPorts, type ListeningPort } from "../discover/answering-listeners.ts";
import type { PortSource } from "../discover/discovered-gateway.ts";
import { type HostRoots, hostRoots } from "../service-units/host-roots.ts";
import { type LocatedInstance, locateInstances } from "../discover/located-instance.ts";
import { findOpenClawInstances } from "../discover/openclaw-instances.ts";
import { observeManifest, statusOf } from "../status/observe-profile.ts";
import type { Manifest } from "../manifest.ts";
import { parsePort } from "../port-number.ts";
import { profileClaims } from "../ports/port-claims.ts";
import { formatRange, overlaps } from "../ports/port-plan.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { readRegistry, type Registry } from "../registry/registry.ts";
import { refuseExisting } from "../registry/refuse-existing.ts";
import { adoptedManifest, nameFor } from "./adopted-manifest.ts";
import { checkStateDirectory, directoriesOf, realOf, refuseShared } from "../directories/directory-rules.ts";
import { readOtherHomes } from "../directories/other-homes.ts";

/** What to adopt, and under which name; nothing given: the default profile. */
export interface ImportOptions {
  /** As OpenClaw calls the profile. @default "default" */
  readonly name?: string | undefined;
  /** Every one that is found; what cannot be adopted is reported, not thrown. @default false */
  readonly all?: boolean | undefined;
  /** Its name here. @default its own; `openclaw` for `default` */
  readonly as?: string | undefined;
  /** A state directory elsewhere than discover looks. */
  readonly stateDir?: string | undefined;
  /** Its port, where nothing tells. */
  readonly port?: number | string | undefined;
  /** @default false */
  readonly protected?: boolean | undefined;
  /** Where to look for traces. @default the usual places of this user */
  readonly roots?: HostRoots | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A gateway that is a profile of this home from now on. */
export interface ImportedProfile {
  /** As OpenClaw calls it. */
  readonly from: string;
  readonly status: ProfileStatus;
  /** Where its port was read; null when it was given. */
  readonly portSource: PortSource | null;
}

/** What became of each gateway that was asked for. */
export interface ImportReport {
  readonly imported: readonly ImportedProfile[];
  /** Adopted before, under this name here. */
  readonly already: readonly { readonly from: string; readonly profile: string }[];
  /** With `all` only. */
  readonly refused: readonly {
    readonly from: string;
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint: string | undefined;
  }[];
}

/**
 * Adopts one OpenClaw gateway, or all.
 *
 * @throws {LockkeeperError} OPTION_INVALID for `all` with what belongs to one; PROFILE_NOT_FOUND when there is none of
 *   that name; PROFILE_EXISTS, PROFILE_NAME_INVALID; CONFIG_DAMAGED; PORT_INVALID when nothing tells its port, naming
 *   what was looked at; PORTS_OVERLAP, DIRECTORY_SHARED, naming both; UNSAFE_PATH; and what changing the registry throws.
 */
export async function importOpenClaw(context: ProfilesContext, options: ImportOptions = {}): Promise<ImportReport> {
  refuseContradiction(options);
  const roots = options.roots ?? hostRoots(context.env);
  const listening = await findListeningPorts(options.signal);
  const located = await locate(context, roots, options, listening === "unknown" ? [] : listening);
  const report = { imported: [] as ImportedProfile[], already: [] as { from: string; profile: string }[] };
  const refused: ImportReport["refused"][number][] = [];
  for (const each of located) {
    const from = each.instance.name;
    try {
      const adopted = await adopt(context, roots, each, options);
      if (adopted.already) report.already.push({ from, profile: adopted.manifest.name });
      else {
        const status = statusOf(context, observeManifest(context, adopted.manifest));
        report.imported.push({ from, status, portSource: options.port === undefined ? each.portSource : null });
      }
    } catch (error) {
      if (options.all !== true || !(error instanceof LockkeeperError)) throw error;
      refused.push({ from, code: error.code, message: error.message, hint: error.hint });
    }
  }
  return { ...report, refused };
}

function refuseContradiction({ all, name, as, stateDir, port }: ImportOptions): void {
  if (all !== true || [name, as, stateDir, port].every((each) => each === undefined)) return;
  throw new LockkeeperError("OPTION_INVALID", "all gateways cannot have one name, state directory or port", {
    hint: "Import one at a time to say more about it: lockkeeper import openclaw <name>",
  });
}

async function locate(
  context: ProfilesContext,
  roots: HostRoots,
  options: ImportOptions,
  listening: readonly ListeningPort[],
): Promise<readonly LocatedInstance[]> {
  const { name = "default", all = false, stateDir } = options;
  const taken = new Set([...readRegistry(context.home).values()].map(({ port }) => port));
  if (stateDir !== undefined) {
    checkStateDirectory(stateDir, roots.userHome, context.home);
    const instances = await findOpenClawInstances(roots, { name, stateDir: path.resolve(stateDir) });
    return locateInstances(instances, listening, taken).filter(
      ({ instance }) => instance.stateDir === path.resolve(stateDir),
    );
  }
  const located = locateInstances(await findOpenClawInstances(roots), listening, taken);
  if (all) return located;
  const wanted = located.filter(({ instance }) => instance.name === name);
  if (wanted.length > 0) return wanted;
  const names = located.map(({ instance }) => instance.name);
  throw new LockkeeperError("PROFILE_NOT_FOUND", `no OpenClaw profile named ${name} under ${roots.userHome}`, {
    evidence: names.map((known) => `there is ${known}`),
    hint: didYouMean(name, names) ?? "lockkeeper discover shows what is there.",
  });
}

async function adopt(
  context: ProfilesContext,
  roots: HostRoots,
  located: LocatedInstance,
  options: ImportOptions,
): Promise<{ readonly manifest: Manifest; readonly already: boolean }> {
  const { home } = context;
  const { instance } = located;
  const stateDir = checkStateDirectory(instance.stateDir, roots.userHome, home);
  refuseUnfitConfig(located);
  const port = options.port === undefined ? requirePort(located) : parsePort(options.port);
  const name = nameFor(options.as ?? instance.name);
  const manifest = adoptedManifest({
    home,
    name,
    instance,
    stateDir,
    port,
    roots,
    protected: options.protected ?? false,
  });
  return changeRegistry(
    home,
    async ({ registry, commit }) => {
      const before = [...registry.values()].find(({ paths }) => realOf(paths.state) === stateDir);
      if (before !== undefined) return { manifest: before, already: true };
      refuseExisting(home, registry, name);
      refuseOverlap(registry, manifest);
      refuseShared(directoriesOf(manifest, home), [
        ...[...registry.values()].flatMap((other) => directoriesOf(other, home)),
        ...readOtherHomes(home, roots),
      ]);
      await commit([...registry.values(), manifest], { make: [`profiles/${name}`] }, async () => {
        ensurePrivateDirectory(manifest.paths.lock);
        ensurePrivateDirectory(manifest.paths.logs);
      });
      return { manifest, already: false };
    },
    { signal: options.signal },
  );
}

function refuseUnfitConfig({ instance }: LocatedInstance): void {
  const { config, configPath, name } = instance;
  if (config.verdict === "read" && config.fault === null) return;
  const fact = config.verdict === "absent" ? "there is none" : (config.fault ?? "it cannot be read");
  throw new LockkeeperError(
    "CONFIG_DAMAGED",
    `the config of OpenClaw's ${name} cannot be used: ${configPath}: ${fact}`,
    {
      hint:
        config.verdict === "absent"
          ? "Set the gateway up with OpenClaw first, or create a fresh one: lockkeeper create <name> --kind openclaw"
          : "Mend it; it was not changed.",
    },
  );
}

function requirePort({ instance, port }: LocatedInstance): number {
  if (port !== null) return port;
  const { name, configPath, units, stateDir } = instance;
  throw new LockkeeperError("PORT_INVALID", `nothing tells the port of OpenClaw's ${name}`, {
    evidence: [
      `${configPath} has no gateway.port`,
      units.length === 0
        ? "no unit of a service manager starts it"
        : `${units.map((unit) => unit.path).join(", ")} gives no --port and no OPENCLAW_GATEWAY_PORT`,
      `no lock record in ${stateDir} names a living gateway, and none answers on its usual port`,
    ],
    hint: `Start it once and import it while it runs, or say it: lockkeeper import openclaw ${name} --port <port>`,
  });
}

function refuseOverlap(registry: Registry, manifest: Manifest): void {
  const ours = profileClaims(manifest);
  const other = [...registry.values()]
    .flatMap(profileClaims)
    .find((claim) => ours.some((mine) => overlaps(mine, claim)));
  if (other === undefined) return;
  const block = { first: manifest.port, last: manifest.port + manifest.span - 1 };
  throw new LockkeeperError(
    "PORTS_OVERLAP",
    `the ports ${formatRange(block)} of ${manifest.name} (derived ones included) overlap ${formatRange(other)} of profile ${other.owner}`,
    { hint: "lockkeeper ports shows who has what; give one of them a gateway.port 120 away from the other." },
  );
}
