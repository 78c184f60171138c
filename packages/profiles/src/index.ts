/** The one door of `@lockkeeper/profiles`. */
export type { OpenOptions, Profiles } from "./profiles.ts";
export { openProfiles } from "./profiles.ts";
export type { Programs } from "./context.ts";
export type { CreateOptions } from "./create.ts";
export type { KindName } from "./kinds/gateway-kind.ts";
export type { RestartOptions, RestartResult } from "./lifecycle/restart.ts";
export type { StartOptions, StartResult } from "./lifecycle/start.ts";
export type { StopOptions, StopResult } from "./lifecycle/stop.ts";
export type { ListOptions } from "./list.ts";
export type { Manifest } from "./manifest.ts";
export type { ProfileState } from "./observed-state.ts";
export type { Finding, Repair, Weight } from "./doctor/finding.ts";
export type { ListenerVerdict, SeenListener } from "./listener-verdict.ts";
export type { PortConflict } from "./plan-conflicts.ts";
export type { BlockReport, PortsReport } from "./port-audit.ts";
export type { PortExplanation } from "./port-explanation.ts";
export type { PortRange } from "./port-plan.ts";
export type { ProfileStatus } from "./profile-status.ts";
export type { RunOptions } from "./run.ts";
export type { Selection, SelectionChange } from "./selection.ts";
export type { ProfileDetail } from "./status.ts";
export { nearestNames } from "./nearest-names.ts";
export { parseProfileName } from "./profile-name.ts";
export type { ShellEnvironment, ShellName } from "./shell-environment.ts";
export { formatShellEnvironment, parseShellName } from "./shell-environment.ts";
export type { ImportedProfile, ImportOptions, ImportReport } from "./adopt/import-openclaw.ts";
export type { TakeoverOptions, TakeoverPlan, TakeoverResult } from "./adopt/takeover.ts";
export type { ConfigChange, ConfigChangeRequest, ConfigEntry, ConfigReading, ConfigRequest } from "./config-edit.ts";
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
