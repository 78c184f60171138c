/**
 * The bundles of the command line. CommonJS, because Node starts it faster than ES modules, and split, so that a
 * command loads only what it needs. The keeper and the built-in gateway are programs of their own.
 */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { defineConfig } from "rolldown";
import { asFunction } from "./bundle/as-function.js";
import { dataAsText } from "./bundle/data-as-text.js";
import { deferBuiltins, deferFiles } from "./bundle/defer-loading.js";
import { deferRequired } from "./bundle/defer-required.js";
import { earlyClock } from "./bundle/early-clock.js";
import { importsOnDemand } from "./bundle/imports-on-demand.js";
import { minifyToOneByte } from "./bundle/one-byte.js";
import { ownHelpers } from "./bundle/own-helpers.js";
import { ownRequire } from "./bundle/own-require.js";
import { plainExports } from "./bundle/plain-exports.js";
import { SHELL_START, withLoader } from "./bundle/with-loader.js";

const here = import.meta.dirname;
const dist = path.join(here, "dist");
const entry = path.join(here, "src/main.ts");
const { version } = JSON.parse(readFileSync(path.join(here, "package.json"), "utf8"));
const programs = path.join(here, "../profiles/dist/programs");

/** What cannot be inlined: the addon is machine code. */
const EXTERNAL = ["fs-native-extensions"];

const TRANSFORM = {
  define: {
    // yargs looks for configuration files in a way that only ES modules have; nothing here asks it to.
    "import.meta.resolve": "undefined",
    // ws looks for two optional parts of it, which we do not install, in every folder above.
    "process.env.WS_NO_BUFFER_UTIL": '"1"',
    "process.env.WS_NO_UTF_8_VALIDATE": '"1"',
  },
};

/** Its main file loads its parts in a way that no bundler follows; it has another one, made of ES modules. */
const jsoncParser = path.join(here, "../profiles/node_modules/jsonc-parser/lib/esm/main.js");

const common = {
  checks: { ineffectiveDynamicImport: false, pluginTimings: false },
  platform: "node",
  external: EXTERNAL,
  resolve: { alias: { "jsonc-parser": jsoncParser } },
  treeshake: { moduleSideEffects: false },
  transform: TRANSFORM,
};
const output = {
  dir: dist,
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "chunks/[name]-[hash].cjs",
  exports: "named",
  // The entry maps the stack of an internal error itself; nothing reads a map otherwise.
  sourcemap: true,
  // A plugin does it.
  minify: false,
};

/** Reads the maps that tsc wrote, so that the bundle's maps lead back to TypeScript. */
const typescriptMaps = {
  name: "typescript-maps",
  load(id) {
    if (!id.endsWith(".js") || !existsSync(`${id}.map`)) return null;
    return { code: readFileSync(id, "utf8"), map: JSON.parse(readFileSync(`${id}.map`, "utf8")) };
  },
};

const descriptions = dataAsText(
  {
    [path.join(here, "src/command-line/commands.ts")]: "COMMANDS",
    [path.join(here, "src/command-line/options.ts")]: "OPTIONS",
  },
  path.join(here, "build"),
);

/** Files of this package and modules of the others, which are bundled as tsc emitted them. */
const own = (...files) => files.map((file) => path.join(here, "src", file));
const core = (...names) => names.map((name) => path.join(here, `../core/dist/${name}.js`));
const profiles = (...names) => names.map((name) => path.join(here, `../profiles/dist/${name}.js`));

/** The name of the bundle's entry. */
const ENTRY = "main";
/** What a file has of a room, without what that imports, so that the quickest commands read little. */
const exactly = {
  // What every call needs that goes well: the entry has nothing else.
  [ENTRY]: [
    ...own("main.ts", "program.ts", "loaders.ts", "version.ts", "open-profiles.ts", "commands/current.ts"),
    ...own("command-line/commands.ts", "command-line/options.ts", "command-line/find-command.ts"),
    ...own("command-line/cheap-reader.ts", "command-line/arguments.ts"),
    ...own("terminal/device-kind.ts", "terminal/plain-text.ts", "terminal/taken-screen.ts", "terminal/view.ts"),
    ...profiles("profiles", "verbs", "everyday-verbs", "context", "home", "profile-paths", "profile-name", "json"),
    ...profiles("selection/selection", "settings/settings", "settings/settings-file"),
    ...core("errors", "warning", "plain-text", "wrong-options", "storage/bits-of-others", "storage/private-directory"),
    ...core("storage/file-kind", "storage/private-file", "storage/real-path", "storage/small-file"),
  ],
  // How a long list asks the kernel once for all.
  listed: core(
    "lock/kernel-look",
    "lock/mechanism/owner-mark",
    "host/kernel-locks",
    "host/lock-socket",
    "host/file-system",
  ),
};
/**
 * What is loaded together, in one file each: opening many small ones costs the everyday commands a tenth of their time.
 * A module is in the first that needs it, with all that it imports but what is in the entry.
 */
const together = {
  // What is needed where something is wrong, or written, or takes long.
  seldom: [
    ...own("exit-status.ts", "error-text.ts", "terminal/progress.ts"),
    ...core("stop-signals", "shell-quote", "nearest-names", "storage/durable-file", "storage/access-list"),
    ...core("keeper/colours"),
    ...profiles("amounts"),
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
    ...profiles("looking-verbs", "acting-verbs"),
    ...profiles("status/profile-detail"),
    ...core(
      "host/process-memory",
      "host/memory-cap",
      "hooks/hook-target",
      "keeper/history",
      "keeper/log-reader",
      "keeper/redaction",
      "keeper/uptime-share",
      "keeper/sparing",
    ),
    // What `start` shares with others of the next ones.
    ...own("limit-warnings.ts", "consent.ts"),
    ...profiles("wide-bind", "status/limits", "interruptible", "registry/start-order", "environment/child-environment"),
    ...core("host/process-tree"),
  ],
  // What `ports`, `create` and `doctor` share, and all that `ports` needs.
  planned: [
    ...own("commands/ports.ts", "preflight-notes.ts"),
    ...profiles("ports/port-audit", "ports/port-choice", "openclaw/program"),
    ...profiles("run/preflight", "registry/registry-change"),
    // What `start` has in common with `doctor`.
    ...profiles("status/leftover", "service/unit-of", "service-units/systemd"),
    ...core("keeper/outside-sockets", "host/port-in-use", "host/process-launch", "storage/path-look"),
    ...core("lock/file-mutex", "lock/sweep", "lock/while-unowned", "gateway/gateway-options"),
  ],
  started: [...own("commands/start.ts"), ...profiles("registry/read-order", "run/start")],
  stopped: [
    ...own("commands/stop.ts"),
    ...profiles("run/stop"),
    ...core("host/process-signal", "keeper/stop-request", "keeper/stop-ladder", "keeper/attempt-output"),
  ],
  created: [...own("commands/create.ts"), ...profiles("life/create")],
  examined: [...own("commands/doctor.ts"), ...profiles("doctor/diagnose"), ...core("host/open-files")],
};
for (const file of [exactly, together].flatMap((files) => Object.values(files).flat())) {
  if (!existsSync(file)) throw new Error(`a root of the bundle does not exist: ${file}`);
}
const DOOR = /dist\/(?:index|internal)\.js$/;

function chunkOf() {
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

/**
 * What a keeper needs as long as it lives is in its one file: an upgrade may remove every other one. What only a start needs is
 * in files of their own, of which a keeper lets go.
 */
const staying = [
  path.join(programs, "keeper.js"),
  ...core("errors", "stop-signals", "keeper/keeper", "keeper/hooked-run", "keeper/ownership", "host/memory-cap"),
];

function keeperParts() {
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

/**
 * Fails when files of the bundle need each other in a circle, which CommonJS answers with functions that are not there yet. For
 * bundles whose files are loaded at once.
 */
const refuseCircles = {
  name: "refuse-circles",
  generateBundle(_, bundle) {
    const visit = (file, way) => {
      if (way.includes(file)) throw new Error(`files of the bundle need each other: ${[...way, file].join(" -> ")}`);
      if (!seen.has(file)) for (const next of bundle[file]?.imports ?? []) visit(next, [...way, file]);
      seen.add(file);
    };
    const seen = new Set();
    for (const file of Object.keys(bundle)) visit(file, []);
  },
};

/** Fails when core's keeper would load a file of the bundle later on, when an upgrade may have removed it. */
const refuseLateLoading = {
  name: "refuse-late-loading",
  generateBundle(_, bundle) {
    const inFile = new Set(Object.values(bundle).find(({ isEntry }) => isEntry === true).moduleIds);
    for (const id of inFile) {
      if (!id.includes("/core/dist/")) continue;
      const late = this.getModuleInfo(id).dynamicallyImportedIds.find(
        (next) => path.isAbsolute(next) && !inFile.has(next),
      );
      if (late !== undefined) throw new Error(`a keeper would load this from another file: ${late} (for ${id})`);
    }
  },
};

/** Removes the chunks of earlier builds: their names change with their content. */
const sweep = (folder) => ({
  name: "sweep-old-chunks",
  writeBundle(_, bundle) {
    for (const file of readdirSync(path.join(dist, folder))) {
      if (bundle[`${folder}/${file}`] === undefined) rmSync(path.join(dist, folder, file));
    }
  },
});

/** Writes every help text beside the bundle: showing one then costs no more than reading it. */
const storeHelp = {
  name: "store-help",
  async writeBundle({ dir }) {
    const { allHelp } = createRequire(import.meta.url)(path.join(dir, "help-writer.cjs"));
    const help = allHelp();
    writeFileSync(path.join(dist, "help.json"), JSON.stringify(help));
    // The loader shows it.
    writeFileSync(path.join(dist, "help.txt"), help[""]);
  },
};

/** The file of the first picture, whose name holds a hash: its bundle is built before that of the loader. */
let firstPictureFile;

const nameFirstPicture = {
  name: "name-first-picture",
  generateBundle(_, bundle) {
    [firstPictureFile] = Object.keys(bundle).filter((file) => file.endsWith(".cjs"));
  },
};

function builtFirstPicture() {
  if (firstPictureFile === undefined)
    throw new Error("the bundle of the first picture was not built before the loader");
  return firstPictureFile;
}

export default defineConfig([
  // A bundle of its own, so that it is not read with everything that `main` needs.
  {
    ...common,
    input: { "first-picture": path.join(here, "src/first-picture.ts") },
    plugins: [
      typescriptMaps,
      asFunction,
      nameFirstPicture,
      sweep("first"),
      deferBuiltins,
      earlyClock,
      plainExports,
      ownHelpers,
      minifyToOneByte,
    ],
    output: { ...output, entryFileNames: "first/[name]-[hash].cjs", codeSplitting: false },
  },
  {
    ...common,
    preserveEntrySignatures: "allow-extension",
    input: { [ENTRY]: entry },
    plugins: [
      withLoader("lockkeeper.cjs", { start: SHELL_START, firstPicture: builtFirstPicture, version }),
      descriptions,
      typescriptMaps,
      sweep("chunks"),
      ownRequire,
      deferFiles(ENTRY),
      importsOnDemand,
      earlyClock,
      plainExports,
      ownHelpers,
      minifyToOneByte,
    ],
    output: { ...output, entryFileNames: "chunks/[name]-[hash].cjs", codeSplitting: { groups: [chunkOf()] } },
  },
  // A bundle of its own, not shipped: as a second entry of the first one it would split what `main` loads in two.
  {
    ...common,
    external: [...EXTERNAL, /\/commands\//],
    input: { "help-writer": path.join(here, "src/help-writer.ts") },
    plugins: [storeHelp],
    output: { ...output, dir: path.join(here, "build/help") },
  },
  {
    ...common,
    preserveEntrySignatures: "allow-extension",
    input: { keeper: path.join(programs, "keeper.js") },
    plugins: [
      withLoader("keeper.cjs"),
      typescriptMaps,
      refuseCircles,
      refuseLateLoading,
      sweep("kept"),
      sweep("start"),
      ownRequire,
      deferBuiltins,
      earlyClock,
      minifyToOneByte,
    ],
    output: {
      ...output,
      entryFileNames: "kept/[name]-[hash].cjs",
      chunkFileNames: "start/[name]-[hash].cjs",
      codeSplitting: { groups: [keeperParts()] },
    },
  },
  {
    ...common,
    input: { gateway: path.join(programs, "gateway.js") },
    plugins: [
      withLoader("gateway.cjs"),
      typescriptMaps,
      sweep("gateway"),
      deferRequired(/\/ws\/lib\/[\w-]+\.js$/),
      ownRequire,
      deferBuiltins,
      earlyClock,
      minifyToOneByte,
    ],
    // One file in a folder of its own: a keeper reads it, in case that an upgrade removes it.
    output: { ...output, entryFileNames: "gateway/[name]-[hash].cjs", codeSplitting: false },
  },
  {
    ...common,
    input: { sentinel: path.join(programs, "sentinel.js") },
    plugins: [typescriptMaps, ownRequire, deferBuiltins, earlyClock, minifyToOneByte],
    output: { ...output, codeSplitting: false },
  },
]);
