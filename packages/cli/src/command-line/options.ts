/**
 * Every option of the command line, once: one key means one thing in every command that takes it.
 * Keys are in camel case and appear in kebab case to the user. Both readers of the command line are built from this
 * page; values are checked afterwards, by `arguments.ts`, the same way for both.
 */
import { KIND_NAMES } from "@lockkeeper/profiles";
import type { KindName } from "@lockkeeper/profiles";

/** How the text after an option is read. `list` may be given several times, every other kind once. */
export type OptionType = "flag" | "text" | "list" | "port" | "count" | "duration" | "size" | "moment" | "choice";

/** One option, as data: the same for every command that has it. */
export interface OptionSpec {
  readonly type: OptionType;
  readonly summary: string;
  /** The typed name, if it is not the key in kebab case. */
  readonly flag?: string;
  /** One letter. */
  readonly alias?: string;
  /** The placeholder of the value in help: `<port>`. Not for flags. */
  readonly value?: string;
  readonly choices?: readonly string[];
}

/** Every option by its key; a command lists the keys of its own. */
export const OPTIONS = {
  // every command
  json: { type: "flag", summary: "print one JSON document on stdout, and nothing else" },
  quiet: { type: "flag", alias: "q", summary: "print names only, and no progress" },
  // which profile
  profile: { type: "text", value: "name", summary: "the profile, as if given as the argument" },
  all: { type: "flag", summary: "every profile (stop and restart leave protected ones out)" },
  confirm: {
    type: "list",
    value: "name",
    summary: "confirm a protected profile by its name (for scripts; repeatable)",
  },
  yes: { type: "flag", alias: "y", summary: "do not ask" },
  // what a profile is
  kind: {
    type: "choice",
    choices: KIND_NAMES as readonly KindName[],
    value: KIND_NAMES.join("|") as string,
    summary: "what it runs: the gateway that comes with Lockkeeper, your own command, or OpenClaw",
  },
  port: { type: "port", value: "port", summary: "base of the block of ports" },
  span: { type: "count", value: "n", summary: "length of the block of ports" },
  host: { type: "text", value: "address", summary: "address to listen on (default 127.0.0.1)" },
  cwd: { type: "text", value: "dir", summary: "directory that the command runs in" },
  env: { type: "list", value: "K=V", summary: "a variable for it; K alone: taken from your environment at each start" },
  envFile: { type: "text", value: "file", summary: "file of variables (mode 0600), read at each start" },
  as: { type: "text", value: "name", summary: "its name here" },
  stateDir: { type: "text", value: "dir", summary: "its state directory, when it is not in the usual place" },
  stop: { type: "flag", summary: "stop the original while it is copied, when it runs, and start it again" },
  include: {
    type: "list",
    value: "kind",
    summary: "copy this too: credentials, devices, schedules, databases, locks, logs, caches",
  },
  extraPort: { type: "list", value: "name=+N", summary: "a second named port, N above its base" },
  health: { type: "text", value: "check", summary: "/path (2xx is healthy), http (any answer), tcp or none" },
  protected: { type: "flag", summary: "stop, restart, remove and edit then need the name twice" },
  noPortEnv: { type: "flag", summary: "do not set PORT and HOST in its environment" },
  scheme: {
    type: "choice",
    choices: ["http", "https", "ws", "wss"],
    value: "http|ws|...",
    summary: "how its address is opened: http, https, ws, wss; the first two are asked for its health too",
  },
  stopTimeout: { type: "duration", value: "time", summary: "time to end by itself before it is killed (default 10s)" },
  group: { type: "list", value: "group", summary: "a group that it belongs to (repeatable)" },
  after: { type: "list", value: "name", summary: "a profile to start before it (repeatable)" },
  end: {
    type: "choice",
    choices: ["group", "all"],
    value: "group|all",
    summary: "what a stop ends: its own processes, or everything that it started",
  },
  memoryRestart: { type: "size", value: "size", summary: "restart it when it stays above this: 512M, 2G" },
  memoryMax: { type: "size", value: "size", summary: "its hard memory limit" },
  restartUnresponsive: { type: "duration", value: "time", summary: "restart it after this time without an answer" },
  hook: {
    type: "list",
    value: "event=program|url",
    summary: "call this program or URL at: failed, blocked, unresponsive, recovered, ready, stopped",
  },
  lease: { type: "text", value: "url", summary: "one owner across hosts: etcd://h1:2379,h2:2379,h3:2379/key" },
  unset: {
    type: "list",
    value: "option",
    summary: "reset: env.NAME, env-file, group, health, hook.failed, ... (repeatable)",
  },
  // many in one file
  file: { type: "text", alias: "f", value: "file", summary: "the file (default lockkeeper.json in this directory)" },
  prefix: { type: "text", value: "text", summary: "put this before each name of the file: b- makes b-web of web" },
  // running it
  timeout: { type: "duration", value: "time", summary: "give up after this long: 30, 30s, 500ms, 2m" },
  manager: {
    type: "choice",
    choices: ["systemd", "launchd"],
    value: "systemd|launchd",
    summary: "which service manager (default: this system's)",
  },
  system: { type: "flag", summary: "a unit of the whole system, as root, instead of your own manager" },
  harden: { type: "flag", summary: "add sandboxing that most gateways can live with" },
  watchdog: { type: "duration", value: "time", summary: "restart it when its health was not confirmed for this long" },
  boot: {
    type: "choice",
    choices: ["auto", "manual"],
    value: "auto|manual",
    summary: "come up with the system or not (default auto)",
  },
  for: {
    type: "choice",
    choices: ["running", "stopped"],
    value: "running|stopped",
    summary: "what to wait for (default running)",
  },
  yesStopMyself: { type: "flag", summary: "yes, although this command runs inside that gateway" },
  replace: { type: "flag", summary: "stop an unresponsive instance first" },
  noStandby: { type: "flag", summary: "do not wait for a lease that another host owns: exit 78" },
  supervised: { type: "flag", summary: "a service manager runs this: leave a healthy gateway in control" },
  gatewayEnv: { type: "flag", summary: "with exactly what its gateway gets, its secrets and PORT included" },
  stay: {
    type: "flag",
    summary: "when it has failed permanently, or a person's stop ended it, keep the process until a signal ends it",
  },
  noOutput: { type: "flag", summary: "do not pass the gateway's output through; it is in the log anyway" },
  here: { type: "flag", summary: "exit 3 also when it runs in another container: for the health check of one" },
  // for engines of containers
  format: {
    type: "choice",
    choices: ["compose", "kubernetes", "quadlet", "json"],
    value: "compose|kubernetes|quadlet|json",
    summary: "for which engine, or json: the lockkeeper.json that makes them (required)",
  },
  image: { type: "text", value: "image", summary: "the image that the containers run" },
  containerfile: { type: "flag", summary: "print a Containerfile for that image instead" },
  // looking
  watch: { type: "flag", alias: "w", summary: "print again whenever something changes (--json: one line each)" },
  wide: { type: "flag", summary: "also show memory, command and reason" },
  noProbe: { type: "flag", summary: "do not ask the gateways for their health" },
  check: { type: "flag", summary: "exit 1 when there is a conflict" },
  explainPort: {
    type: "port",
    flag: "explain",
    value: "port",
    summary: "show everything that is known about one port",
  },
  note: { type: "text", value: "text", summary: "with reserve: what the ports are kept for" },
  next: { type: "flag", summary: "print only the base of the next free block" },
  follow: { type: "flag", alias: "f", summary: "keep printing new lines" },
  since: { type: "moment", value: "time", summary: "only newer than this: 10m, 2h, or 2026-01-31T12:00" },
  timestamps: { type: "flag", alias: "t", summary: "put the time in front of each line" },
  grep: { type: "text", value: "text", summary: "only lines that contain this" },
  regex: { type: "text", value: "pattern", summary: "only lines that match this regular expression" },
  lines: { type: "count", alias: "n", value: "n", summary: "at most this many last lines of each" },
  explain: { type: "flag", summary: "also show where it comes from and what it overrides" },
  fix: { type: "flag", summary: "make the repairs that lose nothing; shows them and asks first" },
  dryRun: { type: "flag", summary: "check and show the change, write nothing" },
  short: { type: "flag", summary: "the name or nothing, ! after a protected one; for prompts" },
  leave: { type: "flag", flag: "unset", summary: "print commands that remove the profile from the shell" },
  shell: { type: "choice", choices: ["bash", "zsh", "fish"], value: "bash|zsh|fish", summary: "syntax of the output" },
} as const;

/** The key of an option. */
export type OptionName = keyof typeof OPTIONS;

/** Options of every command, besides its own. */
export const GLOBAL_OPTIONS = ["json", "quiet"] as const;

/** Returns the name as typed, without the dashes: `envFile` is `env-file`. */
export function flagName(option: OptionName): string {
  return optionSpec(option).flag ?? option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Returns the description of an option at its widest type (the literal one only serves to infer arguments). */
export function optionSpec(option: OptionName): OptionSpec {
  return OPTIONS[option];
}
