/**
 * Adopts gateways of another program in place: our manifest points at their directories, and not a byte of theirs changes. The
 * manifest records what the program itself would use: its port, its home, and the arguments and environment file of its unit.
 * A running gateway stays with its manager and is shown as `external` until `takeover`.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { didYouMean, ensurePrivateDirectory, readProcessLaunch, realPath, shellQuote } from "@lockkeeper/core/internal";
import type { ErrorCode } from "@lockkeeper/core";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { checkStateDirectory, directoriesOf, refuseShared } from "../directories/directory-rules.ts";
import { readDirectoriesElsewhere } from "../directories/directories-elsewhere.ts";
import { findListeningPorts } from "../discover/answering-listeners.ts";
import type { ListeningPort } from "../discover/answering-listeners.ts";
import type { PortSource } from "../discover/discovered-gateway.ts";
import { locateInstallations } from "../discover/located-installation.ts";
import type { LocatedInstallation } from "../discover/located-installation.ts";
import { readEnvFile } from "../env-file.ts";
import { gatewayEnvironment } from "../environment/gateway-environment.ts";
import type { ForeignProgram, Installation } from "../foreign-program.ts";
import type { GatewayKind } from "../gateway-kind.ts";
import { isKindName, kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { parsePort } from "../port-number.ts";
import { profileClaims } from "../ports/port-claims.ts";
import { findOverlap, overlapError } from "../ports/port-overlap.ts";
import { refuseExisting } from "../life/refuse-existing.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { hostRoots } from "../service-units/host-roots.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import { unitEnvironment, unitEnvironmentFiles } from "../service-units/unit-environment.ts";
import { statusAfterChange } from "../status/observe-all.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { adoptedManifest } from "./adopted-manifest.ts";
import { lostVariables } from "./lost-variables.ts";
import { nameHere, underAnotherName } from "./name-here.ts";

/** Which gateway to adopt, and under which name. Without options: the default profile. */
export interface ImportOptions {
  /** The program's own name for it. @default "default" */
  readonly name?: string | undefined;
  /** Adopt every gateway that is found; failures are reported, not thrown. @default false */
  readonly all?: boolean | undefined;
  /** Its name here. @default its own; that of the kind for `default` */
  readonly as?: string | undefined;
  /** A state directory outside the places that `discover` searches. */
  readonly stateDir?: string | undefined;
  /** Its port, when it cannot be found out or is recorded wrongly. */
  readonly port?: number | string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly passEnv?: readonly string[] | undefined;
  /** Absolute. @default the only environment file that its unit names, when nobody else can read it */
  readonly envFile?: string | undefined;
  /** The program that runs it, with arguments. @default as its unit says */
  readonly argv?: readonly string[] | undefined;
  /** @default false */
  readonly protected?: boolean | undefined;
  /** Where to search for installations. @default the usual places of this user */
  readonly roots?: HostRoots | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A gateway that is now a profile of this home. */
export interface ImportedProfile {
  /** As the program calls it. */
  readonly from: string;
  readonly status: ProfileStatus;
  /** Where its port was read; null when it was given. */
  readonly portSource: PortSource | null;
  /** What our gateway would lack or do differently, one fact each. */
  readonly notes: readonly string[];
}

/** The result for each gateway that was asked for. */
export interface ImportReport {
  readonly imported: readonly ImportedProfile[];
  /** Already adopted, under this name. */
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
 * Adopts one gateway of the program that `kindName` runs, or all.
 *
 * @throws {LockkeeperError} OPTION_INVALID for a kind that only Lockkeeper runs, and for `all` with an option for a single
 * gateway; PROFILE_NOT_FOUND when no gateway has that name; PROFILE_EXISTS, PROFILE_NAME_INVALID; CONFIG_DAMAGED; PORT_INVALID
 * when its port cannot be found out; PORTS_OVERLAP, DIRECTORY_SHARED, naming both; UNSAFE_PATH; and the errors of a change of
 * the registry.
 */
export async function importGateways(
  context: ProfilesContext,
  kindName: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  refuseContradiction(options, kindName);
  const kind = isKindName(kindName) ? kinds[kindName] : undefined;
  const program = await kind?.foreign?.();
  if (kind === undefined || program === undefined) {
    throw new LockkeeperError("OPTION_INVALID", `gateways of ${kindName} cannot be imported`, {
      hint: "See what can: lockkeeper discover",
    });
  }
  const source: Source = { kind, program, roots: options.roots ?? hostRoots(context.env) };
  const listening = await findListeningPorts(() => false, options.signal);
  const located = await locate(context, source, options, listening === "unknown" ? [] : listening);
  const report = { imported: [] as ImportedProfile[], already: [] as { from: string; profile: string }[] };
  const refused: ImportReport["refused"][number][] = [];
  for (const each of located) {
    const { name: from, portSource } = each.installation;
    try {
      const hasNamesake = located.some(
        ({ installation }) => installation !== each.installation && installation.name === from,
      );
      const asked = hasNamesake ? { ...options, stateDir: each.installation.stateDir } : options;
      const { manifest, already } = await adopt(context, source, each, asked);
      if (already) report.already.push({ from, profile: manifest.name });
      else {
        const status = await statusAfterChange(context, manifest);
        const notes = await notesOn(context, source, each, manifest);
        report.imported.push({ from, status, portSource: options.port === undefined ? portSource : null, notes });
      }
    } catch (error) {
      if (options.all !== true || !(error instanceof LockkeeperError)) throw error;
      refused.push({ from, code: error.code, message: error.message, hint: error.hint });
    }
  }
  return { ...report, refused };
}

/** The installation to adopt. */
interface Source {
  readonly kind: GatewayKind;
  readonly program: ForeignProgram;
  readonly roots: HostRoots;
}

function refuseContradiction({ all, name, as, stateDir, port, envFile, argv }: ImportOptions, kind: string): void {
  if (all !== true || [name, as, stateDir, port, envFile, argv].every((each) => each === undefined)) return;
  throw new LockkeeperError(
    "OPTION_INVALID",
    "all gateways cannot have one name, state directory, port, env file or program",
    {
      hint: `Import one at a time to say more about it: lockkeeper import ${kind} NAME`,
    },
  );
}

async function locate(
  context: ProfilesContext,
  { program, roots }: Source,
  options: ImportOptions,
  listening: readonly ListeningPort[],
): Promise<readonly LocatedInstallation[]> {
  const { name = "default", all = false, stateDir } = options;
  if (stateDir !== undefined) {
    checkStateDirectory(stateDir, roots.userHome, context.home);
    const found = await program.findInstallations(roots, [{ name, stateDir: path.resolve(stateDir) }]);
    return locateInstallations(found, listening).filter(
      ({ installation }) => installation.stateDir === path.resolve(stateDir),
    );
  }
  // A gateway of another user or home is not ours, whatever its name is: it is found only by its state directory.
  const mine = (await program.findInstallations(roots)).filter((each) => each.mine === "yes");
  const located = locateInstallations(mine, listening);
  if (all) return located;
  const wanted = located.filter(({ installation }) => installation.name === name);
  if (wanted.length > 1) {
    throw new LockkeeperError("OPTION_INVALID", `${program.title} has ${wanted.length} profiles named ${name}`, {
      evidence: wanted.map(({ installation }) => `there is ${installation.stateDir}`),
      hint: "See the command for each: lockkeeper discover",
    });
  }
  if (wanted.length > 0) return wanted;
  const names = located.map(({ installation }) => installation.name);
  throw new LockkeeperError("PROFILE_NOT_FOUND", `no ${program.title} profile named ${name} under ${roots.userHome}`, {
    evidence: names.map((known) => `there is ${known}`),
    hint: didYouMean(name, names) ?? "See what exists: lockkeeper discover",
  });
}

async function adopt(
  context: ProfilesContext,
  { kind, program, roots }: Source,
  { installation }: LocatedInstallation,
  options: ImportOptions,
): Promise<{ readonly manifest: Manifest; readonly already: boolean }> {
  const { home } = context;
  const stateDir = checkStateDirectory(installation.stateDir, roots.userHome, home);
  refuseUnfitConfig(installation, program, kind);
  const port = options.port === undefined ? requirePort(installation, program, kind) : parsePort(options.port);
  const name = nameHere(context, kind, installation, options);
  // The values are not kept: this only checks that a start could read them.
  if (options.envFile !== undefined) await readEnvFile(options.envFile);
  const manifest = adoptedManifest({
    home,
    kind,
    name,
    installation,
    parts: await program.adopt(installation, roots.userHome),
    stateDir,
    port,
    asked: {
      protected: options.protected ?? false,
      env: options.env ?? {},
      passEnv: options.passEnv ?? [],
      ...(await unitFile(installation, roots, options)),
      ...(options.argv === undefined ? {} : { command: options.argv }),
    },
  });
  return changeRegistry(
    home,
    async ({ registry, commit }) => {
      const before = [...registry.values()].find(({ paths }) => realPath(paths.state) === stateDir);
      if (before !== undefined) return { manifest: before, already: true };
      await refuseExisting(home, registry, name, {
        hint: underAnotherName(home, registry, kind, installation, options),
      });
      const others = [...registry.values()].flatMap(profileClaims);
      const taken = findOverlap(profileClaims(manifest), others);
      if (taken !== undefined) throw overlapError(registry, profileClaims(manifest), taken, OTHER_PORT);
      refuseShared(directoriesOf(manifest, home), [
        ...[...registry.values()].flatMap((other) => directoriesOf(other, home)),
        ...readDirectoriesElsewhere(home, roots),
      ]);
      await commit([...registry.values(), manifest], { make: [manifest.paths.profile] }, async () => {
        ensurePrivateDirectory(manifest.paths.lock);
        ensurePrivateDirectory(manifest.paths.logs);
      });
      return { manifest, already: false };
    },
    { signal: options.signal },
  );
}

/** The environment file that was asked for, or the only one that the unit names, when it can be read at each start. */
async function unitFile(
  { units }: Installation,
  { userHome }: HostRoots,
  { envFile }: ImportOptions,
): Promise<Pick<Manifest, "envFile"> | undefined> {
  if (envFile !== undefined) return { envFile };
  const [file, ...others] = units.flatMap((unit) => unitEnvironmentFiles(unit, userHome));
  if (file === undefined || others.length > 0) return undefined;
  try {
    await readEnvFile(file);
    return { envFile: file };
  } catch {
    // The file is missing, open to others, or in a form that we do not read: its variables are reported as lost.
    return undefined;
  }
}

async function notesOn(
  context: ProfilesContext,
  { program, roots }: Source,
  { installation, notes }: LocatedInstallation,
  manifest: Manifest,
): Promise<readonly string[]> {
  const env = await gatewayEnvironment(context, manifest, manifest.port);
  const old = oldVariables(installation, roots);
  const lost = lostVariables(old, env, (variable) => program.needsNot(manifest, variable));
  const faults = await program.checkConfig(manifest, env);
  return [
    ...notes,
    ...(manifest.envFile === undefined ? [] : [`its variables are read at each start from ${manifest.envFile}`]),
    ...(lost.length === 0 ? [] : [`variables that it has today and ours would not have: ${lost.join(", ")}`]),
    ...faults.map(({ message, hint }) => `${message}. ${hint}`),
  ];
}

/** The environment of the living process, or else what its units would give it. */
function oldVariables({ records, units }: Installation, { userHome }: HostRoots): Readonly<Record<string, string>> {
  const owner = records.find((record) => record.owner !== null && record.role === "gateway")?.owner ?? null;
  const living = owner === null ? undefined : readProcessLaunch(owner)?.env;
  return living ?? Object.assign({}, ...units.map((unit) => unitEnvironment(unit, userHome)));
}

function refuseUnfitConfig(
  { config, configFault, configPath, name }: Installation,
  program: ForeignProgram,
  kind: GatewayKind,
): void {
  if (config === "read" && configFault === null) return;
  const fact = config === "absent" ? "there is none" : (configFault ?? "it cannot be read");
  throw new LockkeeperError(
    "CONFIG_DAMAGED",
    `the config of ${program.title}'s ${name} cannot be used: ${configPath}: ${fact}`,
    {
      hint:
        config === "absent"
          ? `Set the gateway up with ${program.title} first, or create a fresh one: lockkeeper create NAME --kind ${kind.name}`
          : "Mend it; it was not changed.",
    },
  );
}

function requirePort({ port, name, configPath }: Installation, program: ForeignProgram, kind: GatewayKind): number {
  if (port !== null) return port;
  throw new LockkeeperError("PORT_INVALID", `nothing tells the port of ${program.title}'s ${name}`, {
    evidence: [`${configPath} does not say it, no unit does, and no living gateway`],
    hint: `Start it once and import it while it runs, or say it: lockkeeper import ${kind.name} ${shellQuote(name)} --port PORT`,
  });
}

const OTHER_PORT = "Give one of them another port; who has what: lockkeeper ports";
