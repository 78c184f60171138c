/**
 * The whole command line on one page. A command is an entry here plus the file that it loads; what an entry says is
 * all that the readers, the help, the completion and the choice of profiles know about it. In the order of the help.
 */
import type { CommandModule } from "./command.ts";

export const COMMANDS = {
  up: {
    summary: "create what is missing, start, wait until healthy, print the list",
    positionals: [{ name: "names", arity: "many", summary: "profiles; none: every one that exists" }],
    options: ["timeout"],
    rule: { unnamed: "all", protected: "usual" },
    examples: [
      ["up dev prod", "two isolated gateways from nothing"],
      ["up", "everything that exists; what runs already is left alone"],
    ],
    load: (): Promise<CommandModule> => import("../commands/up.ts"),
  },
  down: {
    summary: "stop, keep everything; protected profiles are left running and named",
    positionals: [{ name: "names", arity: "many", summary: "profiles; none: every one that is not protected" }],
    options: ["timeout", "confirm"],
    rule: { unnamed: "all", protected: "skipped" },
    examples: [
      ["down", "stop everything that is not protected"],
      ["down dev", "stop one"],
    ],
    load: (): Promise<CommandModule> => import("../commands/down.ts"),
  },
  create: {
    summary: "make a profile: its folder, lock directory and block of ports",
    positionals: [{ name: "name", arity: "required", summary: "a-z, 0-9 and -, at most 32, no - at the front" }],
    options: ["kind", "port", "span", "host", "cwd", "env", "envFile", "extraPort", "health", "protected"],
    summaries: { kind: "what it runs (default: command when -- follows, else builtin)" },
    rest: "argv..",
    examples: [
      ["create dev", "the built-in gateway on a free block of ports"],
      ["create api --cwd ./api -- node server.js --port {port}", "any program; also {port+N} {host} {stateDir}"],
      ["create prod --port 20000 --protected", "on a port of your choice; stopping it then takes --confirm prod"],
      ["create claw --kind openclaw", "an OpenClaw gateway with config, state and workspace of its own"],
    ],
    load: (): Promise<CommandModule> => import("../commands/create.ts"),
  },
  list: {
    aliases: ["ls"],
    summary: "every profile: state, ports, process, health",
    positionals: [],
    options: ["watch", "noProbe"],
    rule: { unnamed: "all", protected: "usual" },
    examples: [
      ["list", "a table; * marks the current profile, ! a protected one"],
      ["list --watch", "the table again whenever something changes"],
      ["list --quiet", "the names, one a line"],
      ["list --json", "for scripts: an array, an object for each profile"],
    ],
    load: (): Promise<CommandModule> => import("../commands/list.ts"),
  },
  status: {
    summary: "one profile in full, asked live; exit 0 only when it runs",
    positionals: [{ name: "name", arity: "optional", summary: "default: the current profile" }],
    options: ["profile"],
    rule: { unnamed: "current", protected: "usual" },
    examples: [
      ["status dev", "state, lock, ports and who listens on them, last exit"],
      ["status dev --json", "the same for scripts; the exit status tells the state (0, 3, 5)"],
    ],
    load: (): Promise<CommandModule> => import("../commands/status.ts"),
  },
  start: {
    summary: "start, wait until healthy; nothing happens to what runs already",
    positionals: [{ name: "names", arity: "many", summary: "default: the current profile" }],
    options: ["all", "profile", "port", "replace", "timeout"],
    summaries: { port: "on this port for this run only" },
    rule: { unnamed: "current", protected: "usual" },
    examples: [
      ["start dev prod", "both at once"],
      ["start dev --port 20500", "on another port this time"],
      ["start dev --replace", "end the silent process that holds its lock, then start"],
    ],
    load: (): Promise<CommandModule> => import("../commands/start.ts"),
  },
  stop: {
    summary: "stop; done only when the processes are gone and the ports are free",
    positionals: [{ name: "names", arity: "many", summary: "profiles; there is no default, name them or use --all" }],
    options: ["all", "timeout", "confirm", "yesStopMyself"],
    rule: { unnamed: "refused", protected: "confirmed" },
    examples: [
      ["stop dev", "one"],
      ["stop --all", "all but protected ones"],
      ["stop prod --confirm prod", "a protected one, in a script"],
    ],
    load: (): Promise<CommandModule> => import("../commands/stop.ts"),
  },
  restart: {
    summary: "stop, then start; never two gateways at once",
    positionals: [{ name: "names", arity: "many", summary: "profiles; there is no default, name them or use --all" }],
    options: ["all", "timeout", "confirm"],
    rule: { unnamed: "refused", protected: "confirmed" },
    examples: [
      ["restart dev", "one"],
      ["restart --all --timeout 2m", "all but protected ones, with more time to stop"],
    ],
    load: (): Promise<CommandModule> => import("../commands/restart.ts"),
  },
  run: {
    summary: "run a gateway in the foreground, for terminals, containers and services",
    positionals: [{ name: "name", arity: "required", summary: "the profile" }],
    options: ["supervised"],
    rule: { unnamed: "refused", protected: "usual" },
    examples: [
      ["run dev", "until Ctrl-C; a second Ctrl-C forces it"],
      ["run prod --supervised", "what a service unit calls"],
    ],
    load: (): Promise<CommandModule> => import("../commands/run.ts"),
  },
  ports: {
    summary: "every block of ports, who listens there, conflicts, the next free block",
    positionals: [],
    options: ["check"],
    rule: { unnamed: "all", protected: "usual" },
    examples: [
      ["ports", "the plan beside what the host says"],
      ["ports --check", "exit 1 when something conflicts, for scripts"],
    ],
    load: (): Promise<CommandModule> => import("../commands/ports.ts"),
  },
  logs: {
    summary: "what the gateways printed",
    positionals: [{ name: "names", arity: "many", summary: "default: the current profile" }],
    options: ["profile", "follow", "since", "lines"],
    summaries: { lines: "at most this many last lines of each (default 100)" },
    rule: { unnamed: "current", protected: "usual" },
    examples: [
      ["logs dev -n 50", "the last 50 lines"],
      ["logs dev --since 10m", "everything of the last ten minutes"],
      ["logs dev prod -f", "both as they come, each line with its profile"],
    ],
    load: (): Promise<CommandModule> => import("../commands/logs.ts"),
  },
  why: {
    summary: "the story of the last state changes, with times and reasons",
    positionals: [{ name: "name", arity: "optional", summary: "default: the current profile" }],
    options: ["profile", "lines"],
    summaries: { lines: "at most this many last changes (default 20)" },
    rule: { unnamed: "current", protected: "usual" },
    examples: [["why dev", "who started it, what blocked it, how it crashed"]],
    load: (): Promise<CommandModule> => import("../commands/why.ts"),
  },
  use: {
    summary: "set the default profile for people; services never read it",
    positionals: [{ name: "name", arity: "required", summary: "the profile; - goes back to the one before" }],
    options: [],
    examples: [
      ["use dev", "start, status, logs and env then mean dev"],
      ["use -", "back to the one before"],
    ],
    load: (): Promise<CommandModule> => import("../commands/use.ts"),
  },
  current: {
    summary: "the profile that a command without a name acts on",
    positionals: [],
    options: ["profile", "explain", "short"],
    examples: [
      ["current", "its name; exit 1 when there is none"],
      ["current --explain", "where it comes from and what it won against"],
      ["current --short", "the name or nothing, for a prompt"],
    ],
    load: (): Promise<CommandModule> => import("../commands/current.ts"),
  },
  env: {
    summary: "what a shell needs to act on a profile, to be evaluated",
    positionals: [{ name: "name", arity: "optional", summary: "default: the current profile" }],
    options: ["profile", "shell"],
    rule: { unnamed: "current", protected: "usual" },
    examples: [
      ["env dev", 'bash and zsh: eval "$(lockkeeper env dev)"'],
      ["env dev --shell fish | source", "fish"],
    ],
    load: (): Promise<CommandModule> => import("../commands/env.ts"),
  },
  exec: {
    summary: "run one command with a profile's environment and nothing of another one's",
    positionals: [{ name: "name", arity: "required", summary: "the profile" }],
    options: [],
    rest: "cmd..",
    examples: [["exec dev -- npm test", "with LOCKKEEPER_URL, LOCKKEEPER_PORT and the rest of dev"]],
    load: (): Promise<CommandModule> => import("../commands/exec.ts"),
  },
  shell: {
    summary: "a shell of your own inside a profile, until you leave it",
    positionals: [{ name: "name", arity: "required", summary: "the profile" }],
    options: [],
    examples: [["shell dev", "commands without a name act on dev in there; exit goes back"]],
    load: (): Promise<CommandModule> => import("../commands/shell.ts"),
  },
  token: {
    summary: "print a profile's access token; nothing else ever does",
    positionals: [{ name: "name", arity: "optional", summary: "default: the current profile" }],
    options: ["profile"],
    rule: { unnamed: "current", protected: "usual" },
    examples: [["token dev", "for an Authorization: Bearer header"]],
    load: (): Promise<CommandModule> => import("../commands/token.ts"),
  },
  remove: {
    aliases: ["rm"],
    summary: "move a stopped profile to the trash and free its ports",
    positionals: [{ name: "name", arity: "required", summary: "the profile" }],
    options: ["yes", "confirm"],
    rule: { unnamed: "refused", protected: "confirmed" },
    examples: [
      ["remove dev --yes", "without a question"],
      ["remove prod --yes --confirm prod", "a protected one, in a script"],
    ],
    load: (): Promise<CommandModule> => import("../commands/remove.ts"),
  },
  completion: {
    summary: "completion of commands, options and profile names for your shell",
    positionals: [{ name: "shell", arity: "required", choices: ["bash", "zsh", "fish"], summary: "your shell" }],
    options: [],
    rest: "words..",
    examples: [
      ["completion bash >>~/.bashrc", "bash"],
      ["completion zsh >>~/.zshrc", "zsh"],
      ["completion fish >~/.config/fish/completions/lockkeeper.fish", "fish"],
    ],
    load: (): Promise<CommandModule> => import("../commands/completion.ts"),
  },
  version: {
    summary: "the version of this program and of what it runs on",
    positionals: [],
    options: [],
    examples: [["version --json", "for a bug report"]],
    load: (): Promise<CommandModule> => import("../commands/version.ts"),
  },
} as const;

export type CommandName = keyof typeof COMMANDS;
