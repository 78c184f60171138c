/**
 * The one door of `@lockkeeper/profiles`: `openProfiles`, the types of its methods, and the few names that a command line
 * needs before it has opened anything.
 */

// Opening a home.
export type { OpenOptions } from "./profiles.ts";
export { openProfiles } from "./profiles.ts";
export type { Profiles } from "./verbs.ts";
export type { Programs } from "./context.ts";

// What a profile is, and what is true of it now.
export type { KindName, Manifest } from "./manifest.ts";
export { KIND_NAMES } from "./manifest.ts";
export type { ProfilePaths } from "./profile-paths.ts";
export { gatewayLogPath } from "./profile-paths.ts";
export type { ProfileState } from "./status/observed-state.ts";
export type { ListOptions } from "./status/list.ts";
export type { PlannedHome, PlannedProfile } from "./status/planned.ts";
export { readPlanned } from "./status/planned.ts";
export type { LeaseStatus, ProfileStatus } from "./status/profile-status.ts";
export type { InstallOptions, InstallResult, UninstallOptions, UninstallResult } from "./service/install.ts";
export type { ServiceStatus } from "./service/service-status.ts";
export type { UnitOptions } from "./service/unit-of.ts";
export type { EngineFormat, ExportedFile, ExportOptions, ExportResult } from "./export/export.ts";
export type { WaitOptions, WaitResult } from "./status/wait.ts";
export type { FollowLogOptions } from "./status/output.ts";
export type { ProfileChange, ProfilesNews, WatchOptions } from "./status/watch.ts";
export { isPattern } from "./registry/match-names.ts";
export type { ProfileDetail } from "./status/profile-detail.ts";
export type { Protection } from "./status/known-profiles.ts";
export type { OrderedStep, OrderPlan } from "./registry/start-order.ts";

// From create to remove.
export { formatLease } from "./life/lease-text.ts";
export type { CreateOptions } from "./life/create-options.ts";
export type { EditResult } from "./life/edit.ts";
export type { EditOptions } from "./life/edited-manifest.ts";
export type { FieldChange } from "./life/manifest-changes.ts";
export type { ProfileOptions } from "./life/profile-options.ts";
export type { CloneOptions, CloneResult } from "./life/clone.ts";
export type { CopyProgress } from "./life/copy-tree.ts";
export type { LeftBehind, LeftBehindKind } from "./life/left-behind.ts";
export type { RenameResult } from "./life/rename.ts";
export type { TrashedProfile } from "./life/trash.ts";
export type { RestoreOptions } from "./life/restore.ts";

// How it is reached.
export type { ProfileAccess } from "./access/profile-access.ts";

// Many in one file.
export type { SetRequest } from "./sets/sets.ts";
export type { LeftOut, SetChange, SetPlan } from "./sets/plan-set.ts";

// One run.
export type { LaunchPlan } from "./run/launch-plan.ts";
export type { PreflightFault } from "./run/preflight.ts";
export type { HookTrial } from "./run/test-hooks.ts";
export type { RunOptions } from "./run/run.ts";
export type { StartOptions, StartResult } from "./run/start.ts";
export type { StopOptions, StopResult } from "./run/stop.ts";
export type { RestartOptions, RestartResult } from "./run/restart.ts";

// Ports, and what is not as it should be.
export type { BlockReport, PortsReport } from "./ports/port-audit.ts";
export type { ListenerVerdict, SeenListener } from "./ports/listener-verdict.ts";
export type { PortConflict } from "./ports/plan-conflicts.ts";
export type { PortExplanation } from "./ports/port-explanation.ts";
export type { Reservation } from "./ports/reservations.ts";
export type { ReservationChange } from "./ports/reserve.ts";
export type { PortRange } from "./ports/port-plan.ts";
export type { Finding, Repair, Weight } from "./doctor/finding.ts";

// Which profile is meant, its settings, and a shell that is on it.
export type { Selection, SelectionChange, SelectionSource } from "./selection/selection.ts";
export type {
  ConfigChange,
  ConfigChangeRequest,
  ConfigEntry,
  ConfigReading,
  ConfigRequest,
} from "./config/config-edit.ts";
export type { ShellEnvironment, ShellName } from "./environment/shell-environment.ts";
export { formatShellEnvironment } from "./environment/shell-environment.ts";

// Gateways that are not ours yet.
export type { DiscoverOptions } from "./discover/discover.ts";
export type { ClaimedRange } from "./foreign-program.ts";
export type {
  DiscoveredGateway,
  Discovery,
  GatewayOverlap,
  GatewaySource,
  Manager,
  PortSource,
} from "./discover/discovered-gateway.ts";
export type { HostRoots } from "./service-units/host-roots.ts";
export type { ServiceManager, ServiceUnit, UnitDirectory } from "./service-units/service-units.ts";
export type { ImportedProfile, ImportOptions, ImportReport } from "./adopt/import.ts";
export type { TakeoverOptions, TakeoverPlan, TakeoverResult } from "./adopt/takeover.ts";

// Names, ports and amounts, as they are typed.
export { parsePort } from "./port-number.ts";
export { formatDurationMs, formatSizeBytes, LONGEST_DURATION_MS, parseDurationMs, parseSizeBytes } from "./amounts.ts";
export { parseProfileName } from "./profile-name.ts";
