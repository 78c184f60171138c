/**
 * The arguments of each verb of the facade; those of everyday verbs are in `everyday-verbs.ts`. The compiler checks the options
 * against the types; a caller without a compiler gets an error for a misspelt option, which would otherwise silently have its
 * default, and for a missing argument.
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
  argv: true,
  cwd: true,
  env: true,
  passEnv: true,
  envFile: true,
  health: true,
  portEnv: true,
  scheme: true,
  stopTimeoutMs: true,
  groups: true,
  after: true,
  end: true,
  memoryRestartBytes: true,
  memoryMaxBytes: true,
  restartUnresponsiveMs: true,
  hooks: true,
  lease: true,
  protected: true,
  set: true,
});
const block = () => ({ port: true, span: true, host: true, extraPorts: true }) as const;
const waited = () => ({ signal: true, onProgress: true }) as const;

const create = (): Known<CreateOptions> => ({ ...profile(), ...block(), name: "needed", kind: true });
const edit = (): Known<EditOptions> => ({ ...profile(), ...block(), unset: true, dryRun: true });
const wait = (): Known<WaitOptions> => ({ ...waited(), for: true, timeoutMs: true });
const log = (): Known<LogSelection> => ({ lines: true, sinceMs: true, matches: true });
const follow = (): Known<FollowLogOptions> => ({ from: true, signal: true });
const watch = (): Known<WatchOptions> => ({ intervalMs: true, probe: true, signal: true });
const start = (): Known<StartOptions> => ({ ...waited(), timeoutMs: true, port: true, replace: true, standby: true });
const stop = (): Known<StopOptions> => ({ ...waited(), timeoutMs: true, stopMyself: true });
const restart = (): Known<RestartOptions> => ({ ...waited(), timeoutMs: true });
const preflight = (): Known<PreflightOptions> => ({ port: true, skip: true, facts: true });
const run = (): Known<RunOptions> => ({
  stop: "needed",
  force: "needed",
  report: true,
  onConfirmed: true,
  supervised: "needed",
  stays: true,
  port: true,
  sparesEarlierRun: true,
  startTimeoutMs: true,
  startedBy: true,
  leaseWaits: true,
});
const install = (): Known<InstallOptions> => ({
  ...waited(),
  manager: true,
  system: true,
  harden: true,
  watchdogMs: true,
  boot: true,
  dryRun: true,
  overwrite: true,
});
const exported = (): Known<ExportOptions> => ({
  format: "needed",
  image: true,
  containerfile: true,
  version: "needed",
});
const set = (): Known<SetRequest> => ({ file: "needed", prefix: true });
const clone = (): Known<CloneOptions> => ({ ...waited(), include: true, port: true, stop: true, onRunProgress: true });
const restore = (): Known<RestoreOptions> => ({ port: true });
const config = (): Known<ConfigRequest> => ({ profile: true, key: true });
const configChange = (): Known<ConfigChangeRequest> => ({ ...config(), key: "needed", value: "needed", dryRun: true });
const discover = (): Known<DiscoverOptions> => ({ roots: true, signal: true });
const imported = (): Known<ImportOptions> => ({
  name: true,
  all: true,
  as: true,
  stateDir: true,
  port: true,
  env: true,
  passEnv: true,
  envFile: true,
  argv: true,
  protected: true,
  roots: true,
  signal: true,
});
const takeover = (): Known<TakeoverOptions> => ({
  ...waited(),
  consent: "needed",
  stopTimeoutMs: true,
  startTimeoutMs: true,
  roots: true,
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
  testHooks: [["name"], () => ({ signal: true })],
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
  uninstallService: [["name"]],
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
