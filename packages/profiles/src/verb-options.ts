/**
 * The options of each verb of the facade. The compiler checks the table against the types; a caller without a compiler gets an
 * error for a misspelt option, which would otherwise silently have its default.
 */
import { refuseUnknownOptions } from "@lockkeeper/core/internal";
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
import type { ListOptions } from "./status/list.ts";
import type { FollowLogOptions } from "./status/output.ts";
import type { WaitOptions } from "./status/wait.ts";
import type { WatchOptions } from "./status/watch.ts";

type Known<T> = Readonly<Record<keyof T, true>>;

const PROFILE: Known<ProfileOptions> = {
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
};
const BLOCK = { port: true, span: true, host: true, extraPorts: true } as const;
const WAITED = { signal: true, onProgress: true } as const;

const CREATE: Known<CreateOptions> = { ...PROFILE, ...BLOCK, name: true, kind: true };
const EDIT: Known<EditOptions> = { ...PROFILE, ...BLOCK, unset: true, dryRun: true };
const LIST: Known<ListOptions> = { probe: true, usage: true, toAct: true };
const WAIT: Known<WaitOptions> = { ...WAITED, for: true, timeoutMs: true };
const LOG: Known<LogSelection> = { lines: true, sinceMs: true, matches: true };
const FOLLOW: Known<FollowLogOptions> = { from: true, signal: true };
const WATCH: Known<WatchOptions> = { intervalMs: true, signal: true };
const START: Known<StartOptions> = { ...WAITED, timeoutMs: true, port: true, replace: true, standby: true };
const STOP: Known<StopOptions> = { ...WAITED, timeoutMs: true, stopMyself: true };
const RESTART: Known<RestartOptions> = { ...WAITED, timeoutMs: true };
const PREFLIGHT: Known<PreflightOptions> = { port: true, skip: true, facts: true };
const RUN: Known<RunOptions> = {
  stop: true,
  force: true,
  report: true,
  onConfirmed: true,
  supervised: true,
  stays: true,
  port: true,
  sparesEarlierRun: true,
  startTimeoutMs: true,
  startedBy: true,
  leaseWaits: true,
};
const INSTALL: Known<InstallOptions> = {
  ...WAITED,
  manager: true,
  system: true,
  harden: true,
  watchdogMs: true,
  boot: true,
  dryRun: true,
  overwrite: true,
};
const EXPORT: Known<ExportOptions> = { format: true, image: true, containerfile: true, version: true };
const SET: Known<SetRequest> = { file: true, prefix: true };
const CLONE: Known<CloneOptions> = { ...WAITED, include: true, port: true, stop: true, onRunProgress: true };
const RESTORE: Known<RestoreOptions> = { port: true };
const CONFIG: Known<ConfigRequest> = { profile: true, key: true };
const CONFIG_CHANGE: Known<ConfigChangeRequest> = { ...CONFIG, value: true, dryRun: true };
const DISCOVER: Known<DiscoverOptions> = { roots: true, signal: true };
const IMPORT: Known<ImportOptions> = {
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
};
const TAKEOVER: Known<TakeoverOptions> = {
  ...WAITED,
  consent: true,
  stopTimeoutMs: true,
  startTimeoutMs: true,
  roots: true,
};

/** By verb: the position of its options, and the known ones. */
const VERBS: Readonly<Record<string, readonly [place: number, known: Readonly<Record<string, true>>]>> = {
  openProfiles: [0, { home: true, env: true, programs: true }],
  create: [0, CREATE],
  edit: [1, EDIT],
  list: [0, LIST],
  wait: [1, WAIT],
  log: [1, LOG],
  followLog: [1, FOLLOW],
  watch: [0, WATCH],
  start: [1, START],
  stop: [1, STOP],
  restart: [1, RESTART],
  preflight: [1, PREFLIGHT],
  run: [1, RUN],
  testHooks: [1, { signal: true }],
  installService: [1, INSTALL],
  exportToEngine: [1, EXPORT],
  planSet: [0, SET],
  applySet: [0, SET],
  appliedSet: [0, SET],
  clone: [2, CLONE],
  restore: [1, RESTORE],
  selection: [0, { profile: true }],
  readConfig: [0, CONFIG],
  changeConfig: [0, CONFIG_CHANGE],
  discover: [0, DISCOVER],
  importGateways: [1, IMPORT],
  takeOver: [1, TAKEOVER],
};

/** @throws {TypeError} naming the first unknown key of the verb's options, and the nearest known one. */
export function refuseUnknownKeys(verb: string, given: readonly unknown[]): void {
  const [place, known] = VERBS[verb] ?? [0];
  const options = given[place];
  if (known !== undefined && options !== undefined) refuseUnknownOptions(verb, options, known);
}
