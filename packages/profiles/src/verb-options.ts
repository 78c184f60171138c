/**
 * The options of each verb of the facade; those of everyday verbs are in `everyday-verbs.ts`. The compiler checks the table
 * against the types; a caller without a compiler gets an error for a misspelt option, which would otherwise silently have its
 * default.
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
import type { Known, OptionsByVerb } from "./verbs.ts";

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

const create = (): Known<CreateOptions> => ({ ...profile(), ...block(), name: true, kind: true });
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
const exported = (): Known<ExportOptions> => ({ format: true, image: true, containerfile: true, version: true });
const set = (): Known<SetRequest> => ({ file: true, prefix: true });
const clone = (): Known<CloneOptions> => ({ ...waited(), include: true, port: true, stop: true, onRunProgress: true });
const restore = (): Known<RestoreOptions> => ({ port: true });
const config = (): Known<ConfigRequest> => ({ profile: true, key: true });
const configChange = (): Known<ConfigChangeRequest> => ({ ...config(), value: true, dryRun: true });
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
  consent: true,
  stopTimeoutMs: true,
  startTimeoutMs: true,
  roots: true,
});

/** For each verb that takes options: the position of that argument, and all options that it knows. */
export const VERB_OPTIONS: OptionsByVerb = {
  create: [0, create],
  edit: [1, edit],
  wait: [1, wait],
  log: [1, log],
  followLog: [1, follow],
  watch: [0, watch],
  start: [1, start],
  stop: [1, stop],
  restart: [1, restart],
  preflight: [1, preflight],
  run: [1, run],
  testHooks: [1, () => ({ signal: true })],
  installService: [1, install],
  exportToEngine: [1, exported],
  planSet: [0, set],
  applySet: [0, set],
  appliedSet: [0, set],
  clone: [2, clone],
  restore: [1, restore],
  readConfig: [0, config],
  changeConfig: [0, configChange],
  discover: [0, discover],
  importGateways: [1, imported],
  takeOver: [1, takeover],
};
