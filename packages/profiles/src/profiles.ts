/**
 * The facade over one home. Each method loads only the room it needs when it is called, so that a command that lists
 * never pays for one that starts, and nothing heavy is imported by opening.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { doubtAbout, warn } from "@lockkeeper/core/internal";
import type { HistoryEvent, KeeperOutcome, LogExcerpt, LogSelection } from "@lockkeeper/core";
import type { ImportOptions, ImportReport } from "./adopt/import.ts";
import type { TakeoverOptions, TakeoverResult } from "./adopt/takeover.ts";
import type { ConfigChange, ConfigChangeRequest, ConfigReading, ConfigRequest } from "./config/config-edit.ts";
import { ownPrograms } from "./context.ts";
import type { Programs, ProfilesContext } from "./context.ts";
import type { CreateOptions } from "./life/create-options.ts";
import type { EditResult } from "./life/edit.ts";
import type { EditOptions } from "./life/edited-manifest.ts";
import type { TrashedProfile } from "./life/trash.ts";
import type { Manifest } from "./manifest.ts";
import { homePaths } from "./profile-paths.ts";
import type { DiscoverOptions } from "./discover/discover.ts";
import type { Argv } from "./gateway-kind.ts";
import type { HookTrial } from "./run/test-hooks.ts";
import type { ProfileAccess } from "./access/profile-access.ts";
import type { Discovery } from "./discover/discovered-gateway.ts";
import type { Finding } from "./doctor/finding.ts";
import { locateHome, requireSafeHome } from "./home.ts";
import type { CloneOptions, CloneResult } from "./life/clone.ts";
import type { RenameResult } from "./life/rename.ts";
import type { RestoreOptions } from "./life/restore.ts";
import type { RestartOptions, RestartResult } from "./run/restart.ts";
import type { LaunchPlan } from "./run/launch-plan.ts";
import type { PreflightFault, PreflightOptions } from "./run/preflight.ts";
import type { StartOptions, StartResult } from "./run/start.ts";
import type { StopOptions, StopResult } from "./run/stop.ts";
import type { ListOptions } from "./status/list.ts";
import type { PortsReport } from "./ports/port-audit.ts";
import type { PortExplanation } from "./ports/port-explanation.ts";
import type { ReservationChange } from "./ports/reserve.ts";
import type { PortRange } from "./ports/port-plan.ts";
import type { InstallOptions, InstallResult, UninstallResult } from "./service/install.ts";
import type { ServiceStatus } from "./service/service-status.ts";
import type { ExportOptions, ExportResult } from "./export/export.ts";
import type { FollowLogOptions } from "./status/output.ts";
import type { WaitOptions, WaitResult } from "./status/wait.ts";
import type { ProfilesNews, WatchOptions } from "./status/watch.ts";
import { refuseUnknownKeys } from "./verb-options.ts";
import type { ProfileStatus } from "./status/profile-status.ts";
import type { Protection } from "./registry/registry.ts";
import type { OrderedVerb } from "./registry/read-order.ts";
import type { OrderPlan } from "./registry/start-order.ts";
import type { SetRequest } from "./sets/sets.ts";
import type { SetPlan } from "./sets/plan-set.ts";
import type { RunOptions } from "./run/run.ts";
import type { Selection, SelectionChange } from "./selection/selection.ts";
import type { ShellEnvironment } from "./environment/shell-environment.ts";
import type { ProfileDetail } from "./status/profile-detail.ts";

/** The home to open, and its environment. */
export interface OpenOptions {
  /** The one root of everything on disk. @default LOCKKEEPER_HOME of `env`, else `~/.lockkeeper` */
  readonly home?: string | undefined;
  /** The caller's environment. @default process.env */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Programs to start, for a bundle that inlines this package. @default this package's own */
  readonly programs?: Programs | undefined;
}

/** Profiles of one home. A missing home is an empty list; only `create` makes it. */
export interface Profiles {
  readonly home: string;
  readonly create: (options: CreateOptions) => Promise<ProfileStatus>;
  /** Changes the profile's settings; a running gateway takes them at its next start. */
  readonly edit: (name: string, options: EditOptions) => Promise<EditResult>;
  readonly list: (options?: ListOptions) => Promise<readonly ProfileStatus[]>;
  /** One profile as its keeper published it, without asking its gateway. @throws PROFILE_NOT_FOUND with the nearest names */
  readonly find: (name: string) => Promise<ProfileStatus>;
  /** Resolves words to names: names, `@group`, and patterns such as `dev-*`. */
  readonly match: (words: readonly string[], request?: Pick<ListOptions, "toAct">) => Promise<readonly string[]>;
  /**
   * The order in which a verb acts on the names: a start includes everything that they come after, a restart and a stop only
   * the names. With a damaged registry the order is unknown.
   */
  readonly order: (verb: OrderedVerb, names: readonly string[]) => Promise<OrderPlan>;
  /** Waits until each profile runs, or has stopped. */
  readonly wait: (names: readonly string[], options?: WaitOptions) => Promise<readonly WaitResult[]>;
  readonly status: (name: string) => Promise<ProfileDetail>;
  /** The lines of its log that are asked for, as they were printed; secrets may be among them. */
  readonly log: (name: string, selection?: LogSelection) => Promise<LogExcerpt>;
  /** Each line of its log as it is written, across restarts, until `signal` aborts or the loop is left. */
  readonly followLog: (name: string, options?: FollowLogOptions) => AsyncIterable<string>;
  /** What has become of its runs, oldest first: each state with its reason, and how a gateway ended. */
  readonly history: (name: string) => Promise<readonly HistoryEvent[]>;
  /** What is there, then each change, until `signal` aborts or the loop is left. Asks no gateway, unless told to. */
  readonly watch: (options?: WatchOptions) => AsyncIterable<ProfilesNews>;
  /** What its gateway printed, without the secrets that can be known here. */
  readonly shownOutput: (name: string, lines: readonly string[]) => Promise<readonly string[]>;
  /** Whether the profile is protected, answered from the last good copy when the registry cannot be read. */
  readonly protection: (name: string) => Promise<Protection>;
  readonly start: (name: string, options?: StartOptions) => Promise<StartResult>;
  readonly stop: (name: string, options?: StopOptions) => Promise<StopResult>;
  readonly restart: (name: string, options?: RestartOptions) => Promise<RestartResult>;
  /** The command of the next start, and its folder. */
  readonly launchPlan: (name: string) => Promise<LaunchPlan>;
  /** The missing needs of the next start. */
  readonly preflight: (name: string, options?: PreflightOptions) => Promise<readonly PreflightFault[]>;
  /** One sentence for each limit of the profile that nothing on this host enforces. */
  readonly limitNotes: (name: string) => Promise<readonly string[]>;
  /** Calls each hook of the profile once, as a test. */
  readonly testHooks: (
    name: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ) => Promise<readonly HookTrial[]>;
  /** Runs the keeper in this process; returns when it has ended. */
  readonly run: (name: string, options: RunOptions) => Promise<KeeperOutcome>;
  readonly ports: () => Promise<PortsReport>;
  /** Reserves ports (`5432`, `6000-6010`) for other programs: no new block touches them. */
  readonly reservePorts: (range: string, note: string) => Promise<ReservationChange>;
  readonly releasePorts: (range: string) => Promise<ReservationChange>;
  /** Everything that is known about one port. */
  readonly explainPort: (port: number) => Promise<PortExplanation>;
  /** The block for the next `create` with that span; null when the pool is exhausted. */
  readonly nextFreeBlock: (span?: number) => Promise<PortRange | null>;
  /** The findings, most serious first. Changes nothing. */
  readonly diagnose: () => Promise<readonly Finding[]>;
  /** Makes the repairs in `findings`, and returns the remaining findings. */
  readonly repair: (findings: readonly Finding[]) => Promise<readonly Finding[]>;
  /** The profile's access token. */
  readonly token: (name: string) => Promise<string>;
  /** How its web page is reached. */
  readonly access: (name: string) => Promise<ProfileAccess>;
  /** Writes a page that redirects to `target` and that only we can read; returns its path. */
  readonly writeHandoverPage: (target: string) => Promise<string>;
  readonly removeHandoverPage: (file: string) => Promise<void>;
  /** The argv for a client of the profile; its own program when the client has that program's name. */
  readonly clientArgv: (name: string, argv: Argv) => Promise<Argv>;
  readonly remove: (name: string) => Promise<{ readonly trash: string }>;
  /** The variables with which a process acts on the profile, and those to drop first. */
  readonly environment: (name: string) => Promise<ShellEnvironment>;
  /** The environment of its gateway, secrets included. */
  readonly gatewayEnvironment: (name: string) => Promise<Readonly<Record<string, string>>>;
  /** Makes `name` the default for people; `-` means the previous one. Touches no gateway. */
  readonly use: (name: string) => Promise<SelectionChange>;
  /** The profile for a command without a name, and why. */
  readonly selection: (options?: { readonly profile?: string | undefined }) => Promise<Selection>;
  /** Every gateway on this host, managed or not. Writes nothing, not even a home. */
  readonly discover: (options?: DiscoverOptions) => Promise<Discovery>;
  /** Adopts gateways of another program in place; their files do not change. `kind` is the kind that will run them. */
  readonly importGateways: (kind: string, options?: ImportOptions) => Promise<ImportReport>;
  /** Moves an adopted gateway from its old manager to one of our keepers. */
  readonly takeOver: (name: string, options: TakeoverOptions) => Promise<TakeoverResult>;
  /** Puts the profile under a service manager. */
  readonly installService: (name: string, options?: InstallOptions) => Promise<InstallResult>;
  readonly uninstallService: (name: string) => Promise<UninstallResult>;
  /** The units of profiles: files, drift, and what their managers say. Changes nothing. */
  readonly serviceStatuses: (names: readonly string[]) => Promise<readonly ServiceStatus[]>;
  /** The profiles as text for an engine of containers. Changes nothing. */
  readonly exportToEngine: (names: readonly string[], options: ExportOptions) => Promise<ExportResult>;
  /** Plans what applying a file of profiles would do. Changes nothing. */
  readonly planSet: (request: SetRequest) => Promise<SetPlan>;
  /** Carries out an agreed plan of that file, except for its restarts. */
  readonly applySet: (request: SetRequest, agreed: SetPlan) => Promise<void>;
  /** The profiles of a file that was applied. */
  readonly appliedSet: (request: SetRequest) => Promise<readonly string[]>;
  /** The text of the file that makes these profiles. */
  readonly exportSet: (names: readonly string[]) => Promise<string>;
  readonly rename: (from: string, to: string) => Promise<RenameResult>;
  readonly clone: (from: string, to: string, options?: CloneOptions) => Promise<CloneResult>;
  /** Restores the last removed profile of that name. */
  readonly restore: (name: string, options?: RestoreOptions) => Promise<ProfileStatus>;
  /** The removed profiles that can be restored. */
  readonly trash: () => Promise<readonly TrashedProfile[]>;
  /** Deletes removed profiles for good: all of them, or those with one of these names. */
  readonly emptyTrash: (names: readonly string[]) => Promise<readonly TrashedProfile[]>;
  readonly readConfig: (request?: ConfigRequest) => Promise<ConfigReading>;
  readonly changeConfig: (request: ConfigChangeRequest) => Promise<ConfigChange>;
}

/**
 * Opens the profiles of one home. Reads and writes nothing in it yet.
 *
 * In a home that another user controls, verbs that act are refused with UNSAFE_PATH, and the others add a warning.
 *
 * @throws {LockkeeperError} OPTION_INVALID when the home is not absolute, the file system's root or the user's own home.
 */
export async function openProfiles(options: OpenOptions = {}): Promise<Profiles> {
  refuseUnknownKeys("openProfiles", [options]);
  const env = options.env ?? process.env;
  const home = locateHome(env, options.home);
  const danger = dangerOf(home);
  const owner = danger === undefined ? "own" : "any";
  const context: ProfilesContext = { home, env, programs: options.programs ?? ownPrograms(), owner };
  // A verb that acts does not trust a registry that others can write.
  const doubt = danger ?? doubtAbout(homePaths(home).registry);
  const look: ProfilesContext = doubt === undefined ? context : { ...context, owner: "any" };
  const start: Profiles["start"] = async (name, request) => {
    const manifest = await installedManifest(context, name);
    if (manifest !== undefined)
      return (await import("./service/managed-run.ts")).startManaged(context, manifest, request);
    return (await import("./run/start.ts")).startProfile(context, name, request);
  };
  const stop: Profiles["stop"] = async (name, request) => {
    const manifest = await installedManifest(context, name);
    if (manifest !== undefined)
      return (await import("./service/managed-run.ts")).stopManaged(context, manifest, request);
    return (await import("./run/stop.ts")).stopProfile(context, name, request);
  };
  return guarded(
    { danger, doubt },
    {
      home,
      token: async (name) => (await import("./access/profile-access.ts")).readToken(context, name),
      access: async (name) => (await import("./access/profile-access.ts")).profileAccess(context, name),
      writeHandoverPage: async (target) => (await import("./access/handover-page.ts")).writeHandoverPage(home, target),
      removeHandoverPage: async (file) => (await import("./access/handover-page.ts")).removeHandoverPage(file),
      clientArgv: async (name, argv) => {
        const { requireManifest } = await import("./registry/registry.ts");
        return (await import("./environment/client-argv.ts")).clientArgv(requireManifest(home, name), argv);
      },
      create: async (request) => {
        const { createProfile } = await import("./life/create.ts");
        const { statusAfterChange } = await import("./status/observe-all.ts");
        return statusAfterChange(context, await createProfile(home, request));
      },
      edit: async (name, request) => (await import("./life/edit.ts")).editProfile(context, name, request),
      list: async (request) =>
        (await import("./status/list.ts")).listProfiles(request?.toAct === true ? context : look, request),
      find: async (name) => {
        const [{ requireManifest }, { observeOne }, { describeProfile }, { readableSelection }] = await Promise.all([
          import("./registry/registry.ts"),
          import("./status/observe-all.ts"),
          import("./status/profile-status.ts"),
          import("./selection/selection.ts"),
        ]);
        const { manifest, observed, record } = await observeOne(look, requireManifest(home, name, look.owner));
        return describeProfile(manifest, observed, record, readableSelection(look), Date.now());
      },
      match: async (words, request) => {
        const [{ matchNames }, { readRegistry }] = await Promise.all([
          import("./registry/match-names.ts"),
          import("./registry/registry.ts"),
        ]);
        return matchNames(readRegistry(home, request?.toAct === true ? owner : look.owner), words);
      },
      order: async (verb, names) => (await import("./registry/read-order.ts")).readOrder(context, verb, names),
      wait: async (names, request) => (await import("./status/wait.ts")).waitForProfiles(look, names, request),
      status: async (name) => (await import("./status/profile-detail.ts")).profileDetail(look, name),
      log: async (name, selection) => (await import("./status/output.ts")).profileLog(look, name, selection),
      followLog: async function* (name, request) {
        yield* (await import("./status/output.ts")).followProfileLog(look, name, request);
      },
      history: async (name) => (await import("./status/output.ts")).profileHistory(look, name),
      watch: async function* (request) {
        yield* (await import("./status/watch.ts")).watchProfiles(look, request);
      },
      shownOutput: async (name, lines) => {
        const [{ requireManifest }, { shownOutput }] = await Promise.all([
          import("./registry/registry.ts"),
          import("./run-secrets.ts"),
        ]);
        return shownOutput(lines, requireManifest(home, name, look.owner), env);
      },
      protection: async (name) => (await import("./registry/registry.ts")).readProtection(home, name, owner),
      start,
      stop,
      restart: async (name, request) => {
        const manifest = await installedManifest(context, name);
        if (manifest === undefined) return (await import("./run/restart.ts")).restartProfile(context, name, request);
        return (await import("./service/managed-run.ts")).restartManaged(context, manifest, request);
      },
      installService: async (name, request) =>
        (await import("./service/install.ts")).installService(context, name, request),
      uninstallService: async (name) => (await import("./service/install.ts")).uninstallService(context, name),
      serviceStatuses: async (names) => (await import("./service/service-status.ts")).serviceStatuses(context, names),
      launchPlan: async (name) => {
        const { requireManifest } = await import("./registry/registry.ts");
        return (await import("./run/launch-plan.ts")).launchPlan(requireManifest(home, name), context.programs.gateway);
      },
      preflight: async (name, request) => {
        const { requireManifest } = await import("./registry/registry.ts");
        return (await import("./run/preflight.ts")).preflight(context, requireManifest(home, name), request);
      },
      limitNotes: async (name) => {
        const { requireManifest } = await import("./registry/registry.ts");
        return (await import("./status/limits.ts")).limitNotes(requireManifest(home, name, look.owner));
      },
      testHooks: async (name, request) =>
        (await import("./run/test-hooks.ts")).testHooks(context, name, request?.signal),
      run: async (name, request) => (await import("./run/run.ts")).runProfile(context, name, request),
      ports: async () => (await import("./ports/port-audit.ts")).portsReport(home, look.owner),
      reservePorts: async (range, note) => {
        const { parsePortRange } = await import("./ports/reservations.ts");
        return (await import("./ports/reserve.ts")).reservePorts(home, parsePortRange(range), note);
      },
      releasePorts: async (range) => {
        const { parsePortRange } = await import("./ports/reservations.ts");
        return (await import("./ports/reserve.ts")).releasePorts(home, parsePortRange(range));
      },
      explainPort: async (port) => (await import("./ports/port-explanation.ts")).explainPort(home, port, look.owner),
      nextFreeBlock: async (span) => (await import("./ports/port-choice.ts")).nextBlockOf(home, span),
      diagnose: async () => (await import("./doctor/diagnose.ts")).diagnose(context),
      repair: async (findings) => (await import("./doctor/diagnose.ts")).repair(context, findings),
      remove: async (name) => {
        const manifest = await installedManifest(context, name);
        if (manifest === undefined) return (await import("./life/remove.ts")).removeProfile(context, name);
        return (await import("./service/change-installed.ts")).removeInstalled(context, manifest);
      },
      environment: async (name) => {
        const { requireManifest } = await import("./registry/registry.ts");
        const manifest = requireManifest(home, name);
        // The file that the environment names holds the present value.
        if (manifest.kind !== "builtin" && manifest.kind !== "command") {
          await (await import("./access/profile-access.ts")).refreshTokenFile(context, manifest);
        }
        return (await import("./environment/shell-environment.ts")).shellEnvironment(context, name);
      },
      gatewayEnvironment: async (name) =>
        (await import("./environment/gateway-environment.ts")).presentGatewayEnvironment(context, name),
      use: async (name) => (await import("./selection/selection.ts")).useProfile(context, name),
      selection: async (request) => (await import("./selection/selection.ts")).readSelection(context, request),
      discover: async (request) => (await import("./discover/discover.ts")).discoverGateways(context, request),
      importGateways: async (kind, request) =>
        (await import("./adopt/import.ts")).importGateways(context, kind, request),
      takeOver: async (name, request) => (await import("./adopt/takeover.ts")).takeOver(context, name, request),
      exportToEngine: async (names, request) =>
        (await import("./export/export.ts")).exportProfiles(context, names, request),
      planSet: async (request) => (await import("./sets/sets.ts")).planSetFile(context, request),
      applySet: async (request, agreed) => (await import("./sets/sets.ts")).applySetFile(context, request, agreed),
      appliedSet: async (request) => (await import("./sets/sets.ts")).appliedNames(context, request),
      exportSet: async (names) => (await import("./sets/sets.ts")).exportSet(context, names),
      rename: async (from, to) => {
        const manifest = await installedManifest(context, from);
        if (manifest === undefined) return (await import("./life/rename.ts")).renameProfile(context, from, to);
        return (await import("./service/change-installed.ts")).renameInstalled(context, manifest, to);
      },
      clone: async (from, to, request) =>
        (await import("./life/clone.ts")).cloneProfile(context, from, to, request, { stop, start }),
      restore: async (name, request) => (await import("./life/restore.ts")).restoreProfile(context, name, request),
      trash: async () => (await import("./life/trash.ts")).listTrash(home),
      emptyTrash: async (names) => (await import("./life/trash.ts")).emptyTrash(home, names),
      readConfig: async (request) => (await import("./config/config-edit.ts")).readConfig(context, request),
      changeConfig: async (request) => (await import("./config/config-edit.ts")).changeConfig(context, request),
    },
  );
}

/** Verbs that only show; `repair` checks its safety itself. Every other verb acts, and so does a new one by default. */
const LOOKERS: ReadonlySet<string> = new Set<keyof Profiles>([
  "list",
  "find",
  "match",
  "wait",
  "status",
  "log",
  "followLog",
  "history",
  "watch",
  "shownOutput",
  "protection",
  "ports",
  "explainPort",
  "nextFreeBlock",
  "diagnose",
  "repair",
  "selection",
  "discover",
  "exportToEngine",
  "exportSet",
  "trash",
  "readConfig",
  "limitNotes",
]);

/** Verbs that give one thing after the other. */
const STREAMS: ReadonlySet<string> = new Set<keyof Profiles>(["followLog", "watch"]);

/** Reasons against a home: `danger` refuses every verb that acts, `doubt` is shown as a warning. */
interface Doubts {
  readonly danger: LockkeeperError | undefined;
  readonly doubt: LockkeeperError | undefined;
}

/** Why the home must not be acted on; undefined when it may be. */
function dangerOf(home: string): LockkeeperError | undefined {
  try {
    requireSafeHome(home);
    return undefined;
  } catch (error) {
    if (error instanceof LockkeeperError) return error;
    throw error;
  }
}

/** The manifest of a profile under a service manager; undefined for any other, and when the registry cannot be read. */
async function installedManifest({ home, owner }: ProfilesContext, name: string): Promise<Manifest | undefined> {
  const { readRegistry } = await import("./registry/registry.ts");
  try {
    const manifest = readRegistry(home, owner).get(name);
    return manifest?.service === undefined ? undefined : manifest;
  } catch (error) {
    // A damaged or unreadable registry is reported by the verb itself; a stop uses the keeper's record.
    if (error instanceof LockkeeperError) return undefined;
    throw error;
  }
}

/**
 * Wraps `profiles` so that nothing is signalled, changed or handed out because of files that another user controls: verbs that
 * act refuse, and verbs that only read warn once.
 */
function guarded({ danger, doubt }: Doubts, profiles: Profiles): Profiles {
  const { home } = profiles;
  let told = false;
  const before = (verb: string, subject: unknown): void => {
    if (!LOOKERS.has(verb)) {
      if (danger !== undefined) throw danger;
      requireSafeHome(home, profileIn(subject));
    } else if (doubt?.code === "UNSAFE_PATH" && !told) {
      told = true;
      warn(`${doubt.message}: what is in ${home} is only shown`, doubt.code);
    }
  };
  const methods = Object.entries(profiles).map(([verb, method]: [string, unknown]) => {
    if (typeof method !== "function") return [verb, method];
    if (STREAMS.has(verb)) {
      const stream = async function* (...given: readonly unknown[]): AsyncGenerator<unknown, void> {
        before(verb, given[0]);
        refuseUnknownKeys(verb, given);
        yield* Reflect.apply(method, undefined, given) as AsyncIterable<unknown>;
      };
      return [verb, stream];
    }
    const call = async (...given: readonly unknown[]): Promise<unknown> => {
      before(verb, given[0]);
      refuseUnknownKeys(verb, given);
      return Reflect.apply(method, undefined, given);
    };
    return [verb, call];
  });
  return Object.fromEntries(methods) as Profiles;
}

/** The profile of a verb: its first argument, or a name in it. */
function profileIn(subject: unknown): string | undefined {
  if (typeof subject === "string") return subject;
  const named = typeof subject === "object" && subject !== null && "profile" in subject ? subject.profile : undefined;
  return typeof named === "string" ? named : undefined;
}
