/** The one door of `@lockkeeper/profiles`. */
export type { OpenOptions, Profiles } from "./profiles.ts";
export { openProfiles } from "./profiles.ts";
export type { Programs } from "./context.ts";
export type { CreateOptions } from "./life/create.ts";
export type { KindName } from "./kinds/gateway-kind.ts";
export type { RestartOptions, RestartResult } from "./run/restart.ts";
export type { StartOptions, StartResult } from "./run/start.ts";
export type { StopOptions, StopResult } from "./run/stop.ts";
export type { ListOptions } from "./status/list.ts";
export type { Manifest } from "./manifest.ts";
export type { ProfileState } from "./status/observed-state.ts";
export type { Finding, Repair, Weight } from "./doctor/finding.ts";
export type { ListenerVerdict, SeenListener } from "./ports/listener-verdict.ts";
export type { PortConflict } from "./ports/plan-conflicts.ts";
export type { BlockReport, PortsReport } from "./ports/port-audit.ts";
export type { PortExplanation } from "./ports/port-explanation.ts";
export type { PortRange } from "./ports/port-plan.ts";
export type { ProfileStatus } from "./status/profile-status.ts";
export type { RunOptions } from "./run/run.ts";
export type { Selection, SelectionChange } from "./settings/selection.ts";
export type { ProfileDetail } from "./status/profile-detail.ts";
export { nearestNames } from "./nearest-names.ts";
export { parseProfileName } from "./profile-name.ts";
export type { ShellEnvironment, ShellName } from "./environment/shell-environment.ts";
export { formatShellEnvironment, parseShellName } from "./environment/shell-environment.ts";
export type { ImportedProfile, ImportOptions, ImportReport } from "./adopt/import-openclaw.ts";
export type { TakeoverOptions, TakeoverPlan, TakeoverResult } from "./adopt/takeover.ts";
export type {
  ConfigChange,
  ConfigChangeRequest,
  ConfigEntry,
  ConfigReading,
  ConfigRequest,
} from "./settings/config-edit.ts";
export type { DiscoverOptions } from "./discover/discover.ts";
export type {
  ClaimedRange,
  DiscoveredGateway,
  Discovery,
  GatewayOverlap,
  GatewaySource,
  Manager,
  PortSource,
} from "./discover/discovered-gateway.ts";
export type { HostRoots } from "./discover/host-roots.ts";
export type { ServiceUnit } from "./discover/service-units.ts";
export type { CloneOptions, CloneResult } from "./life/clone.ts";
export type { CopyProgress } from "./life/copy-tree.ts";
export type { LeftBehind, LeftBehindKind } from "./life/left-behind.ts";
export type { RenameResult } from "./life/rename.ts";
export type { RestoreOptions } from "./life/restore.ts";
