/** The verbs of the facade: what can be asked of the profiles of one home, and which verbs only show. */
import type { KnownOptions, OptionKind } from "@lockkeeper/core/internal";
import type { HistoryEvent, KeeperOutcome, LogExcerpt, LogSelection } from "@lockkeeper/core";
import type { ImportOptions, ImportReport } from "./adopt/import.ts";
import type { TakeoverOptions, TakeoverResult } from "./adopt/takeover.ts";
import type { ProfilesContext } from "./context.ts";
import type { ConfigChange, ConfigChangeRequest, ConfigReading, ConfigRequest } from "./config/config-edit.ts";
import type { CreateOptions } from "./life/create-options.ts";
import type { EditResult } from "./life/edit.ts";
import type { EditOptions } from "./life/edited-manifest.ts";
import type { TrashedProfile } from "./life/trash.ts";
import type { DiscoverOptions } from "./discover/discover.ts";
import type { Argv } from "./gateway-kind.ts";
import type { HookTrial } from "./run/test-hooks.ts";
import type { ProfileAccess } from "./access/profile-access.ts";
import type { Discovery } from "./discover/discovered-gateway.ts";
import type { Finding } from "./doctor/finding.ts";
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
import type { InstallOptions, InstallResult, UninstallOptions, UninstallResult } from "./service/install.ts";
import type { ServiceStatus } from "./service/service-status.ts";
import type { ExportOptions, ExportResult } from "./export/export.ts";
import type { FollowLogOptions } from "./status/output.ts";
import type { WaitOptions, WaitResult } from "./status/wait.ts";
import type { ProfilesNews, WatchOptions } from "./status/watch.ts";
import type { ProfileStatus } from "./status/profile-status.ts";
import type { Protection } from "./status/known-profiles.ts";
import type { OrderedVerb } from "./registry/read-order.ts";
import type { OrderPlan } from "./registry/start-order.ts";
import type { SetRequest } from "./sets/sets.ts";
import type { SetPlan } from "./sets/plan-set.ts";
import type { RunOptions } from "./run/run.ts";
import type { Selection, SelectionChange } from "./selection/selection.ts";
import type { ShellEnvironment } from "./environment/shell-environment.ts";
import type { ProfileDetail } from "./status/profile-detail.ts";

/** Verbs that only show, and that the everyday commands call. */
export interface EverydayVerbs {
  readonly list: (options?: ListOptions) => Promise<readonly ProfileStatus[]>;
  /** One profile as its keeper published it, without asking its gateway. @throws PROFILE_NOT_FOUND with the nearest names */
  readonly find: (name: string) => Promise<ProfileStatus>;
  /** Resolves words to names: names, `@group`, and patterns such as `dev-*`. */
  readonly match: (
    words: readonly string[],
    request?: Pick<ListOptions, "toAct" | "known">,
  ) => Promise<readonly string[]>;
  /** Whether the profile is protected, answered from the last good copy when the registry cannot be read. @throws REGISTRY_DAMAGED and the like when nothing is known without it */
  readonly protection: (name: string) => Promise<Protection>;
  /** The profile for a command without a name, and why. */
  readonly selection: (options?: { readonly profile?: string | undefined }) => Promise<Selection>;
}

/** Further verbs that only show; `repair` checks its safety itself. */
export interface LookingVerbs {
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
  /** One sentence for each limit of the profile that nothing on this host enforces. */
  readonly limitNotes: (name: string) => Promise<readonly string[]>;
  readonly ports: () => Promise<PortsReport>;
  /** Everything that is known about one port. */
  readonly explainPort: (port: number) => Promise<PortExplanation>;
  /** The block for the next `create` with that span; null when the pool is exhausted. */
  readonly nextFreeBlock: (span?: number) => Promise<PortRange | null>;
  /** The findings, most serious first. Changes nothing. */
  readonly diagnose: () => Promise<readonly Finding[]>;
  /** Makes the repairs in `findings`, and returns the remaining findings. */
  readonly repair: (findings: readonly Finding[]) => Promise<readonly Finding[]>;
  /** Every gateway on this host, managed or not. Writes nothing, not even a home. */
  readonly discover: (options?: DiscoverOptions) => Promise<Discovery>;
  /** The profiles as text for an engine of containers. Changes nothing. */
  readonly exportToEngine: (names: readonly string[], options: ExportOptions) => Promise<ExportResult>;
  /** The text of the file that makes these profiles. */
  readonly exportSet: (names: readonly string[]) => Promise<string>;
  /** The removed profiles that can be restored. */
  readonly trash: () => Promise<readonly TrashedProfile[]>;
  readonly readConfig: (request?: ConfigRequest) => Promise<ConfigReading>;
}

/** Verbs that change, start, stop or hand out something, and those that promise more than a look. */
export interface ActingVerbs {
  readonly create: (options: CreateOptions) => Promise<ProfileStatus>;
  /** Changes the profile's settings; a running gateway takes them at its next start. */
  readonly edit: (name: string, options: EditOptions) => Promise<EditResult>;
  /**
   * The order in which a verb acts on the names: a start includes everything that they come after, a restart and a stop only
   * the names. With a damaged registry the order is unknown.
   */
  readonly order: (verb: OrderedVerb, names: readonly string[]) => Promise<OrderPlan>;
  readonly start: (name: string, options?: StartOptions) => Promise<StartResult>;
  readonly stop: (name: string, options?: StopOptions) => Promise<StopResult>;
  readonly restart: (name: string, options?: RestartOptions) => Promise<RestartResult>;
  /** The command of the next start, and its folder. */
  readonly launchPlan: (name: string) => Promise<LaunchPlan>;
  /** The missing needs of the next start. */
  readonly preflight: (name: string, options?: PreflightOptions) => Promise<readonly PreflightFault[]>;
  /** Calls each hook of the profile once, as a test. */
  readonly testHooks: (
    name: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ) => Promise<readonly HookTrial[]>;
  /** Runs the keeper in this process; returns when it has ended. */
  readonly run: (name: string, options: RunOptions) => Promise<KeeperOutcome>;
  /** Reserves ports (`5432`, `6000-6010`) for other programs: no new block touches them. */
  readonly reservePorts: (range: string, note: string) => Promise<ReservationChange>;
  readonly releasePorts: (range: string) => Promise<ReservationChange>;
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
  /** Adopts gateways of another program in place; their files do not change. `kind` is the kind that will run them. */
  readonly importGateways: (kind: string, options?: ImportOptions) => Promise<ImportReport>;
  /** Moves an adopted gateway from its old manager to one of our keepers. */
  readonly takeOver: (name: string, options: TakeoverOptions) => Promise<TakeoverResult>;
  /** Puts the profile under a service manager. */
  readonly installService: (name: string, options?: InstallOptions) => Promise<InstallResult>;
  readonly uninstallService: (name: string, options?: UninstallOptions) => Promise<UninstallResult>;
  /** The units of profiles: files, drift, and what their managers say. Changes nothing. */
  readonly serviceStatuses: (names: readonly string[]) => Promise<readonly ServiceStatus[]>;
  /** Plans what applying a file of profiles would do. Changes nothing. */
  readonly planSet: (request: SetRequest) => Promise<SetPlan>;
  /** Carries out an agreed plan of that file, except for its restarts. */
  readonly applySet: (request: SetRequest, agreed: SetPlan) => Promise<void>;
  /** The profiles of a file that was applied. */
  readonly appliedSet: (request: SetRequest) => Promise<readonly string[]>;
  readonly rename: (from: string, to: string) => Promise<RenameResult>;
  readonly clone: (from: string, to: string, options?: CloneOptions) => Promise<CloneResult>;
  /** Restores the last removed profile of that name. */
  readonly restore: (name: string, options?: RestoreOptions) => Promise<ProfileStatus>;
  /** Deletes removed profiles for good: all of them, or those with one of these names. */
  readonly emptyTrash: (names: readonly string[]) => Promise<readonly TrashedProfile[]>;
  readonly changeConfig: (request: ConfigChangeRequest) => Promise<ConfigChange>;
}

/** Profiles of one home. A missing home is an empty list; only `create` makes it. */
export interface Profiles extends EverydayVerbs, LookingVerbs, ActingVerbs {
  readonly home: string;
}

/** The names, from which the facade is made before the methods are loaded. */
export const EVERYDAY_VERBS: readonly (keyof EverydayVerbs)[] = ["list", "find", "match", "protection", "selection"];
/** @see EVERYDAY_VERBS */
export const LOOKING_VERBS: readonly (keyof LookingVerbs)[] = [
  "wait",
  "status",
  "log",
  "followLog",
  "history",
  "watch",
  "shownOutput",
  "limitNotes",
  "ports",
  "explainPort",
  "nextFreeBlock",
  "diagnose",
  "repair",
  "discover",
  "exportToEngine",
  "exportSet",
  "trash",
  "readConfig",
];
/** @see EVERYDAY_VERBS */
export const ACTING_VERBS: readonly (keyof ActingVerbs)[] = [
  "create",
  "edit",
  "order",
  "start",
  "stop",
  "restart",
  "launchPlan",
  "preflight",
  "testHooks",
  "run",
  "reservePorts",
  "releasePorts",
  "token",
  "access",
  "writeHandoverPage",
  "removeHandoverPage",
  "clientArgv",
  "remove",
  "environment",
  "gatewayEnvironment",
  "use",
  "importGateways",
  "takeOver",
  "installService",
  "uninstallService",
  "serviceStatuses",
  "planSet",
  "applySet",
  "appliedSet",
  "rename",
  "clone",
  "restore",
  "emptyTrash",
  "changeConfig",
];

/** One home, opened. */
export interface OpenedHome {
  /** For verbs that act. */
  readonly context: ProfilesContext;
  /** For verbs that only show: they show a registry that others can write too. */
  readonly look: ProfilesContext;
}

/** Every option of a verb, by its name: its kind, and whether it is needed. */
export type Known<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K>
    ? KindOf<NonNullable<T[K]>>
    : `needed ${KindOf<NonNullable<T[K]>>}`;
};

type KindOf<V> = [V] extends [boolean]
  ? "flag"
  : [V] extends [string]
    ? "text"
    : [V] extends [number]
      ? "number" | "count" | "milliseconds"
      : [V] extends [AbortSignal]
        ? "signal"
        : [V] extends [(...given: never[]) => unknown]
          ? "function"
          : [V] extends [readonly string[]]
            ? "texts"
            : [Required<V>] extends [Readonly<Record<string, string>>]
              ? "named texts"
              : Extract<OptionKind, "object" | "value">;

/** An argument before the options, by its name in the types above. */
export type Argument =
  | "name"
  | "names"
  | "words"
  | "from"
  | "to"
  | "kind"
  | "verb"
  | "range"
  | "note"
  | "target"
  | "file"
  | "lines"
  | "argv"
  | "port"
  | "findings";

/**
 * By verb: its arguments before the options; its options, made when the verb is called; and `needed` when it cannot do without them.
 */
export type ArgumentsByVerb = Readonly<
  Record<string, readonly [before: readonly Argument[], known?: () => KnownOptions, options?: "needed"]>
>;
