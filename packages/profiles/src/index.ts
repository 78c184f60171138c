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
export type { PortsReport } from "./port-audit.ts";
export type { ProfileStatus } from "./profile-status.ts";
export type { RunOptions } from "./run.ts";
export type { Selection, SelectionChange } from "./selection.ts";
export type { ProfileDetail } from "./status.ts";
export { nearestNames } from "./nearest-names.ts";
export { parseProfileName } from "./profile-name.ts";
