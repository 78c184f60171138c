/**
 * In which file of the bundle a module is. A file is opened and compiled as a whole, so it has what is needed together: the first one
 * what every command needs, the others what some of them need, and a keeper what it needs as long as it lives.
 */
import { existsSync } from "node:fs";
import path from "node:path";

const here = path.join(import.meta.dirname, "..");
const programs = path.join(here, "../profiles/dist/programs");

/** Files of this package and modules of the others, which are bundled as tsc emitted them. */
const own = (...files) => files.map((file) => path.join(here, "src", file));
const core = (...names) => names.map((name) => path.join(here, `../core/dist/${name}.js`));
const profiles = (...names) => names.map((name) => path.join(here, `../profiles/dist/${name}.js`));

/** The name of the bundle's entry. */
export const ENTRY = "main";
/** What a file has of a room, without what that imports, so that the quickest commands read little. */
const exactly = {
  // What every call needs that goes well, and the report of a file that is gone: the entry has nothing else.
  [ENTRY]: [
    ...own("main.ts", "program.ts", "loaders.ts", "version.ts", "open-profiles.ts", "documented-error.ts"),
    ...own("commands/current.ts"),
    ...own("command-line/commands.ts", "command-line/options.ts", "command-line/find-command.ts"),
    ...own("command-line/cheap-reader.ts", "command-line/arguments.ts"),
    ...own("terminal/device-kind.ts", "terminal/plain-text.ts", "terminal/taken-screen.ts", "terminal/view.ts"),
    ...profiles("profiles", "verbs", "everyday-verbs", "context", "home", "profile-paths", "profile-name", "json"),
    ...profiles("selection/selection", "settings/settings", "settings/settings-file"),
    ...core("errors", "warning", "plain-text", "wrong-options", "storage/bits-of-others", "storage/private-directory"),
    ...core("storage/file-kind", "storage/private-file", "storage/real-path", "storage/small-file"),
  ],
  listed: [
    // How a long list asks the kernel once for all.
    ...core(
      "lock/kernel-look",
      "lock/mechanism/owner-mark",
      "host/kernel-locks",
      "host/lock-socket",
      "host/file-system",
    ),
    // A list asks them about gateways that run, and `ports` about others.
    ...profiles("kinds/kinds", "kinds/builtin", "kinds/command", "kinds/argv-template", "kinds/health-check"),
    ...profiles("openclaw/openclaw", "openclaw/derived-ports"),
  ],
  // The little that `ports`, `doctor` and `create` share with `status`, so that they need not read what only that needs.
  asked: [
    ...profiles("looking-verbs", "verb-arguments", "secrets", "environment/child-environment"),
    ...core(
      "host/sockets",
      "host/sockets-lsof",
      "host/canonical-address",
      "host/holder",
      "host/probe-port",
      "host/local-address",
    ),
  ],
};
/**
 * What is loaded together, in one file each: opening many small ones costs the everyday commands a tenth of their time.
 * A module is in the first that needs it, with all that it imports but what is in the entry.
 */
const together = {
  // What all but the quickest calls need, and any call that fails.
  acted: [
    ...own("exit-status.ts", "error-text.ts", "terminal/progress.ts", "limit-warnings.ts", "consent.ts"),
    ...profiles("looking-verbs", "acting-verbs", "verb-arguments", "amounts", "interruptible", "wide-bind"),
    ...profiles("environment/child-environment", "registry/start-order", "secrets", "status/limits"),
    ...core("stop-signals", "shell-quote", "nearest-names", "storage/durable-file", "storage/access-list"),
    ...core("keeper/colours", "keeper/small-heap"),
  ],
  listed: [
    ...own("commands/list.ts", "targets.ts", "commands/url.ts", "commands/port.ts"),
    ...profiles("status/list", "registry/registry", "registry/match-names"),
    ...core("host/address", "host/process-identity", "host/lock-list-readiness", "keeper/run-record"),
  ],
  // What a look at gateways that run needs, and asking for their health.
  looked: [
    ...profiles("status/observe-profile", "status/ask-health"),
    ...core("lock/inspect", "lock/kernel-look", "host/sockets", "host/lock-holders", "gateway/health"),
    ...core("host/run-bond", "host/probe-port", "keeper/port-view", "keeper/surviving-server"),
  ],
  watched: [
    ...own("commands/status.ts"),
    ...profiles("status/profile-detail"),
    ...core("host/process-memory", "host/memory-cap", "hooks/hook-target", "keeper/history", "keeper/log-reader"),
    ...core("keeper/redaction", "keeper/uptime-share", "keeper/sparing"),
  ],
  // What `ports`, `create` and `doctor` share, and all that `ports` needs.
  planned: [...own("commands/ports.ts"), ...profiles("ports/port-audit", "ports/port-choice", "openclaw/program")],
  // What `create` and `doctor` share besides.
  prepared: [
    ...own("preflight-notes.ts"),
    ...profiles("run/preflight"),
    ...core("storage/path-look", "gateway/gateway-options"),
  ],
  // What `create` needs besides, as do most commands that change the registry.
  created: [
    ...own("commands/create.ts"),
    ...profiles("life/create", "registry/registry-change", "status/leftover", "service/unit-of"),
    ...profiles("service-units/systemd"),
    ...core("keeper/outside-sockets", "host/port-in-use", "host/process-launch"),
    ...core("lock/file-mutex", "lock/sweep", "lock/while-unowned"),
  ],
  started: [...own("commands/start.ts"), ...profiles("registry/read-order", "run/start")],
  stopped: [
    ...own("commands/stop.ts"),
    ...profiles("run/stop"),
    ...core(
      "host/process-signal",
      "host/main-process",
      "keeper/stop-request",
      "keeper/stop-ladder",
      "keeper/attempt-output",
    ),
  ],
  examined: [...own("commands/doctor.ts"), ...profiles("doctor/diagnose"), ...core("host/open-files")],
};
for (const file of [exactly, together].flatMap((files) => Object.values(files).flat())) {
  if (!existsSync(file)) throw new Error(`a root of the bundle does not exist: ${file}`);
}
const DOOR = /dist\/(?:index|internal)\.js$/;

/** Returns the group of rolldown that puts each module of the program into its file. */
export function programFiles() {
  let chunks;
  return {
    debugName: "together",
    name(id, graph) {
      chunks ??= chunksByModule(graph);
      return chunks.get(id) ?? null;
    },
    includeDependenciesRecursively: false,
  };
}

function chunksByModule(graph) {
  const chunks = new Map(Object.entries(exactly).flatMap(([chunk, ids]) => ids.map((id) => [id, chunk])));
  for (const [chunk, roots] of Object.entries(together)) {
    for (const id of closure(roots, graph)) if (!chunks.has(id)) chunks.set(id, chunk);
  }
  return chunks;
}

/** A keeper, and what it imports on demand. It runs in a program of its own, and in that of `lockkeeper run`. */
export const KEEPING = core("keeper/run-keeper", "keeper/hooked-run", "keeper/ownership", "keeper/gateway-cap");

/**
 * What a keeper needs as long as it lives is in its one file: an upgrade may remove every other one. What only a start needs
 * is in files of its own, which a keeper drops.
 */
const staying = [path.join(programs, "keeper.js"), ...core("errors", "stop-signals", "keeper/small-heap"), ...KEEPING];

/** Returns the group of rolldown that puts each module of the keeper into its file. */
export function keeperFiles() {
  let stays;
  let starts;
  return {
    debugName: "keeper-parts",
    name(id, graph) {
      stays ??= closure(staying, graph);
      starts ??= closure(profiles("run/plan-run"), graph);
      if (stays.has(id) || id.includes("rolldown/runtime")) return "keeper";
      return starts.has(id) || id.includes("/core/dist/") ? "plan" : null;
    },
    includeDependenciesRecursively: false,
  };
}

/**
 * Returns every module of a package that `roots` import, directly or not, without what is imported on demand. It stops
 * at the doors of other packages, behind which is everything.
 */
function closure(roots, graph) {
  const found = new Set(roots);
  for (const id of found) {
    for (const next of graph.getModuleInfo(id)?.importedIds ?? []) if (!DOOR.test(next)) found.add(next);
  }
  return found;
}
