/**
 * The arguments of each verb of the facade, for callers without a compiler; those of everyday verbs are in `everyday-verbs.ts`. The
 * compiler checks these tables against the types of the options.
 */
import type { LogSelection } from "@lockkeeper/core";
import type { ImportOptions } from "./adopt/import.ts";
import type { TakeoverOptions } from "./adopt/takeover.ts";
import type { ConfigChangeRequest, ConfigRequest } from "./config/config-edit.ts";
import type { DiscoverOptions } from "./discover/discover.ts";
import type { ExportOptions } from "./export/export.ts";
import type { CloneOptions } from "./life/clone.ts";
import type { CreateOptions } from "./life/create-options.ts";
import type { EditOptions } from "./life/edited-manifest.ts";
import type { ProfileOptions } from "./life/profile-options.ts";
import type { RestoreOptions } from "./life/restore.ts";
import type { PreflightOptions } from "./run/preflight.ts";
import type { RestartOptions } from "./run/restart.ts";
import type { RunOptions } from "./run/run.ts";
import type { StartOptions } from "./run/start.ts";
import type { StopOptions } from "./run/stop.ts";
import type { InstallOptions } from "./service/install.ts";
import type { SetRequest } from "./sets/sets.ts";
import type { FollowLogOptions } from "./status/output.ts";
import type { WaitOptions } from "./status/wait.ts";
import type { WatchOptions } from "./status/watch.ts";
import type { ArgumentsByVerb, Known } from "./verbs.ts";

const profile = (): Known<ProfileOptions> => ({
  argv: "texts",
  cwd: "text",
  env: "named texts",
  passEnv: "texts",
  envFile: "text",
  health: "text",
  portEnv: "flag",
  scheme: "text",
  stopTimeoutMs: "number",
  groups: "texts",
  after: "texts",
  end: "text",
  memoryRestartBytes: "number",
  memoryMaxBytes: "number",
  restartUnresponsiveMs: "number",
  hooks: "named texts",
  lease: "text",
  protected: "flag",
  set: "named texts",
});
const block = () => ({ port: "value", span: "number", host: "text", extraPorts: "object" }) as const;
const waited = () => ({ signal: "signal", onProgress: "function" }) as const;

const create = (): Known<CreateOptions> => ({ ...profile(), ...block(), name: "needed text", kind: "text" });
const edit = (): Known<EditOptions> => ({ ...profile(), ...block(), unset: "texts", dryRun: "flag" });
const wait = (): Known<WaitOptions> => ({ ...waited(), for: "text", timeoutMs: "milliseconds" });
const log = (): Known<LogSelection> => ({ lines: "count", sinceMs: "number", matches: "function" });
const follow = (): Known<FollowLogOptions> => ({ from: "count", signal: "signal" });
const watch = (): Known<WatchOptions> => ({ intervalMs: "milliseconds", probe: "flag", signal: "signal" });
const start = (): Known<StartOptions> => ({
  ...waited(),
  timeoutMs: "milliseconds",
  port: "number",
  replace: "flag",
  standby: "flag",
  startedBy: "text",
});
const stop = (): Known<StopOptions> => ({ ...waited(), timeoutMs: "milliseconds", stopMyself: "flag" });
const restart = (): Known<RestartOptions> => ({ ...waited(), timeoutMs: "milliseconds", startedBy: "text" });
const preflight = (): Known<PreflightOptions> => ({ port: "number", skip: "texts", facts: "object" });
const run = (): Known<RunOptions> => ({
  stop: "needed signal",
  force: "needed signal",
  report: "function",
  onConfirmed: "function",
  supervised: "needed flag",
  stays: "flag",
  port: "number",
  sparesEarlierRun: "flag",
  startTimeoutMs: "milliseconds",
  startedBy: "text",
  leaseWaits: "value",
});
const install = (): Known<InstallOptions> => ({
  ...waited(),
  manager: "text",
  system: "flag",
  harden: "flag",
  watchdogMs: "number",
  boot: "text",
  dryRun: "flag",
  overwrite: "flag",
});
const exported = (): Known<ExportOptions> => ({
  format: "needed text",
  image: "text",
  containerfile: "flag",
  version: "needed text",
});
const set = (): Known<SetRequest> => ({ file: "needed text", prefix: "text" });
const clone = (): Known<CloneOptions> => ({
  ...waited(),
  include: "texts",
  port: "value",
  stop: "flag",
  onRunProgress: "function",
});
const restore = (): Known<RestoreOptions> => ({ port: "value" });
const config = (): Known<ConfigRequest> => ({ profile: "text", key: "text" });
const configChange = (): Known<ConfigChangeRequest> => ({
  ...config(),
  key: "needed text",
  value: "needed text",
  dryRun: "flag",
});
const discover = (): Known<DiscoverOptions> => ({ roots: "object", signal: "signal" });
const imported = (): Known<ImportOptions> => ({
  name: "text",
  all: "flag",
  as: "text",
  stateDir: "text",
  port: "value",
  env: "named texts",
  passEnv: "texts",
  envFile: "text",
  argv: "texts",
  protected: "flag",
  roots: "object",
  signal: "signal",
});
const takeover = (): Known<TakeoverOptions> => ({
  ...waited(),
  consent: "needed function",
  stopTimeoutMs: "milliseconds",
  startTimeoutMs: "milliseconds",
  roots: "object",
});

/** For each verb: its arguments before the options, all options that it knows, and whether it needs them. */
export const VERB_ARGUMENTS: ArgumentsByVerb = {
  wait: [["names"], wait],
  status: [["name"]],
  log: [["name"], log],
  followLog: [["name"], follow],
  history: [["name"]],
  watch: [[], watch],
  shownOutput: [["name", "lines"]],
  limitNotes: [["name"]],
  explainPort: [["port"]],
  repair: [["findings"]],
  discover: [[], discover],
  exportToEngine: [["names"], exported, "needed"],
  exportSet: [["names"]],
  readConfig: [[], config],
  create: [[], create, "needed"],
  edit: [["name"], edit, "needed"],
  order: [["verb", "names"]],
  start: [["name"], start],
  stop: [["name"], stop],
  restart: [["name"], restart],
  launchPlan: [["name"]],
  preflight: [["name"], preflight],
  testHooks: [["name"], () => ({ signal: "signal" })],
  run: [["name"], run, "needed"],
  reservePorts: [["range", "note"]],
  releasePorts: [["range"]],
  token: [["name"]],
  access: [["name"]],
  writeHandoverPage: [["target"]],
  removeHandoverPage: [["file"]],
  clientArgv: [["name", "argv"]],
  remove: [["name"]],
  environment: [["name"]],
  gatewayEnvironment: [["name"]],
  use: [["name"]],
  importGateways: [["kind"], imported],
  takeOver: [["name"], takeover, "needed"],
  installService: [["name"], install],
  uninstallService: [["name"], waited],
  serviceStatuses: [["names"]],
  planSet: [[], set, "needed"],
  applySet: [[], set, "needed"],
  appliedSet: [[], set, "needed"],
  rename: [["from", "to"]],
  clone: [["from", "to"], clone],
  restore: [["name"], restore],
  emptyTrash: [["names"]],
  changeConfig: [[], configChange, "needed"],
};
