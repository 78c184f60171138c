/**
 * The whole command line on one page. A command is an entry here, a file in `commands/` and a line in `loaders.ts`; what an entry says is
 * all that the readers, the help, the completion and the choice of profiles know about it. In the order of the help.
 */

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
  },
  create: {
    summary: "make a profile: its folder, lock directory and block of ports",
    positionals: [
      { name: "name", arity: "required", free: true, summary: "a-z, 0-9 and -, at most 32, no - at the front" },
    ],
    options: [
      "kind",
      "port",
      "span",
      "host",
      "cwd",
      "env",
      "envFile",
      "noPortEnv",
      "extraPort",
      "health",
      "scheme",
      "stopTimeout",
      "end",
      "group",
      "after",
      "memoryRestart",
      "memoryMax",
      "restartUnresponsive",
      "hook",
      "lease",
      "protected",
    ],
    summaries: { kind: "what it runs (default: command when -- follows, else builtin)" },
    rest: "argv..",
    examples: [
      ["create dev", "the built-in gateway on a free block of ports"],
      ["create api --cwd ./api -- node server.js --port {port}", "any program; also {port+N} {host} {stateDir}"],
      ["create prod --port 20000 --protected", "on a port of your choice; stopping it then takes --confirm prod"],
      ["create claw --kind openclaw", "an OpenClaw gateway with config, state and workspace of its own"],
    ],
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
  },
  ports: {
    summary: "every block of ports, who listens there, conflicts, the next free block",
    positionals: [{ name: "name", arity: "optional", summary: "this profile's block only" }],
    options: ["check", "explainPort", "next", "span"],
    summaries: { span: "with --next: for a block of this length" },
    rule: { unnamed: "all", protected: "usual" },
    examples: [
      ["ports", "the plan beside what the host says, as a table and as a picture"],
      ["ports --check", "exit 1 when something conflicts, for scripts"],
      ["ports --explain 18790", "whose it is, who holds it now"],
      ["ports --next --span 20", "the base of the next free block of 20"],
    ],
  },
  doctor: {
    summary: "what is not as it should be, heaviest first; exit 1 when there is something",
    positionals: [],
    options: ["fix", "yes"],
    rule: { unnamed: "all", protected: "usual" },
    examples: [
      ["doctor", "each finding with what shows it and one command that helps"],
      ["doctor --fix", "show the repairs that lose nothing, ask, make them"],
      ["doctor --fix --yes", "the same in a script"],
    ],
  },
  discover: {
    summary: "every gateway on this host, managed or not; changes nothing, needs no home",
    positionals: [],
    options: [],
    rule: { unnamed: "all", protected: "usual" },
    examples: [["discover", "who runs what on which port, what overlaps, and the commands that adopt it"]],
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
  },
  why: {
    summary: "the story of the last state changes, with times and reasons",
    positionals: [{ name: "name", arity: "optional", summary: "default: the current profile" }],
    options: ["profile", "lines"],
    summaries: { lines: "at most this many last changes (default 20)" },
    rule: { unnamed: "current", protected: "usual" },
    examples: [["why dev", "who started it, what blocked it, how it crashed"]],
  },
  use: {
    summary: "set the default profile for people; services never read it",
    positionals: [{ name: "name", arity: "required", summary: "the profile; - goes back to the one before" }],
    options: [],
    examples: [
      ["use dev", "start, status, logs and env then mean dev"],
      ["use -", "back to the one before"],
    ],
  },
  current: {
    summary: "the profile that a command without a name acts on",
    positionals: [],
    options: ["profile", "explain", "short"],
    examples: [
      ["current", "its name; exit 1 when there is none"],
      ["current --explain", "where it comes from and what it won against"],
      ["current --short", "the name or nothing, for a prompt; ! behind a protected one"],
    ],
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
  },
  exec: {
    summary: "run one command with a profile's environment and nothing of another one's",
    positionals: [{ name: "name", arity: "required", summary: "the profile" }],
    options: [],
    rest: "cmd..",
    examples: [["exec dev -- npm test", "with LOCKKEEPER_URL, LOCKKEEPER_PORT and the rest of dev"]],
  },
  shell: {
    summary: "a shell of your own inside a profile, until you leave it",
    positionals: [{ name: "name", arity: "required", summary: "the profile" }],
    options: [],
    examples: [["shell dev", "commands without a name act on dev in there; exit goes back"]],
  },
  token: {
    summary: "print a profile's access token; nothing else ever does",
    positionals: [{ name: "name", arity: "optional", summary: "default: the current profile" }],
    options: ["profile"],
    rule: { unnamed: "current", protected: "usual" },
    examples: [["token dev", "for an Authorization: Bearer header"]],
  },
  rename: {
    summary: "give a stopped profile another name; its ports and data stay",
    positionals: [
      { name: "old", arity: "required", summary: "the profile" },
      { name: "new", arity: "required", free: true, summary: "a name that nobody has" },
    ],
    options: ["confirm"],
    rule: { unnamed: "refused", protected: "confirmed" },
    examples: [["rename dev staging", "dev is called staging from now on"]],
  },
  clone: {
    summary: "a second profile from a stopped one, without its credentials",
    positionals: [
      { name: "from", arity: "required", summary: "the profile" },
      { name: "to", arity: "required", free: true, summary: "the new one" },
    ],
    options: ["port", "include", "confirm"],
    rule: { unnamed: "refused", protected: "confirmed" },
    examples: [
      ["clone prod staging --confirm prod", "ports and token of its own; what stays behind is listed"],
      ["clone dev dev2 --include schedules", "with its schedules"],
    ],
  },
  restore: {
    summary: "bring back what was removed last under a name; starts nothing",
    positionals: [{ name: "name", arity: "required", free: true, summary: "the name that it had" }],
    options: ["port"],
    summaries: { port: "base of its block from now on (default: the one that it had)" },
    examples: [["restore dev", "out of the trash"]],
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
  },
  import: {
    summary: "adopt gateways of OpenClaw in place; not a byte of theirs changes",
    positionals: [
      { name: "program", arity: "required", choices: ["openclaw"], summary: "whose gateways" },
      { name: "name", arity: "optional", free: true, summary: "OpenClaw's name for it (default: default)" },
    ],
    options: ["all", "as", "stateDir", "port", "protected"],
    summaries: { all: "every one that is found", port: "its port, where nothing tells" },
    examples: [
      ["import openclaw work", "a running one goes on under its own manager (see takeover)"],
      ["import openclaw --all", "what cannot be adopted is named, with the reason"],
    ],
  },
  takeover: {
    summary: "bring an adopted, running gateway under a keeper of ours",
    positionals: [{ name: "name", arity: "required", summary: "the profile" }],
    options: ["yes", "confirm", "timeout"],
    summaries: { timeout: "for the old gateway to end its work: 30, 30s, 2m (default 330s)" },
    rule: { unnamed: "refused", protected: "confirmed" },
    examples: [
      ["takeover work", "shows who runs it now and what will happen, then asks"],
      ["takeover work --yes", "without a question"],
    ],
  },
  config: {
    summary: "read and change settings: the tool's own, or a gateway's with --profile",
    positionals: [
      { name: "action", arity: "required", choices: ["get", "set"], summary: "what to do" },
      { name: "key", arity: "optional", free: true, summary: "the setting; get without it: all" },
      { name: "value", arity: "optional", free: true, summary: "for set: a number, a text, null, or a list as a,b" },
    ],
    options: ["profile", "dryRun"],
    summaries: { profile: "whose gateway's settings (default: the tool's own)" },
    examples: [
      ["config get", "every setting of the tool, with its meaning"],
      ["config set poolLast 30000", "a wider or narrower pool of ports; shows the difference"],
      ["config set heartbeatMs 10000 --profile dev", "of a built-in gateway, from its next start on"],
    ],
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
  },
  version: {
    summary: "the version of this program and of what it runs on",
    positionals: [],
    options: [],
    examples: [["version --json", "for a bug report"]],
  },
} as const;

export type CommandName = keyof typeof COMMANDS;
