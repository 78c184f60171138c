/**
 * The bundles of the command line. CommonJS, because Node starts it faster than ES modules, and split, so that a
 * command loads only what it needs. The keeper and the built-in gateway are programs of their own, one file each.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { defineConfig } from "rolldown";

const here = import.meta.dirname;
const dist = path.join(here, "dist");
const programs = path.join(here, "../profiles/dist/programs");

/** What cannot be inlined: the addon is machine code; the other two are optional parts of ws that we do not install. */
const external = ["fs-native-extensions", "bufferutil", "utf-8-validate"];

/** yargs looks for configuration files in a way that only ES modules have; nothing here asks it to. */
const transform = { define: { "import.meta.resolve": "undefined" } };

const common = {
  checks: { ineffectiveDynamicImport: false },
  platform: "node",
  external,
  treeshake: { moduleSideEffects: false },
  transform,
};
const output = {
  dir: dist,
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "chunks/[name]-[hash].cjs",
  exports: "named",
  // Smaller files are read and compiled faster; names are kept, so that a stack trace still tells something.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
};

/**
 * Loads Node's own modules when they are first used. `node:crypto` and `node:child_process` alone cost several
 * milliseconds, and many a module imports them for the one function that is seldom called.
 */
const deferBuiltins = {
  name: "defer-builtins",
  renderChunk(code) {
    const names = [];
    const declared = code.replaceAll(/^let (node_\w+) = require\("(node:[\w/]+)"\);$/gm, (_, name, id) => {
      names.push(name);
      return `let loaded_${name};\nconst ${name} = () => (loaded_${name} ??= require("${id}"));`;
    });
    let result = declared;
    for (const name of names) {
      result = result
        .replaceAll(new RegExp(`^${name} = [\\w.$]+\\(${name}, 1\\);\\n`, "gm"), "")
        // Without parentheses `new` would take the loader itself for the class.
        .replaceAll(new RegExp(`\\bnew ${name}((?:\\.\\w+)+)\\(`, "g"), `new (${name}()$1)(`)
        .replaceAll(new RegExp(`(?<![\\w.$])${name}(\\.default\\b|(?=\\.))`, "g"), `${name}()`);
      const left = new RegExp(`(?<!const )(?<![\\w.$])${name}\\b(?!\\(\\))`).exec(result);
      if (left !== null) this.error(`${name} is used as a value: ${result.slice(left.index - 40, left.index + 60)}`);
    }
    return result.replaceAll(/^const (require_\w+) = require\("[^"]+"\);\n/gm, (line, name) =>
      result.split(name).length > 2 ? line : "",
    );
  },
};

const everydayRoots = [
  ...["commands/list.ts", "commands/current.ts", "open-profiles.ts"].map((file) => path.join(here, "src", file)),
  ...["profiles", "status/list", "selection/selection"].map((name) => path.join(here, `../profiles/dist/${name}.js`)),
  ...[
    "storage/durable-file",
    "storage/private-directory",
    "host/address",
    "host/process-identity",
    "keeper/run-record",
  ].map((name) => path.join(here, `../core/dist/${name}.js`)),
];
const eagerRoots = [path.join(here, "src/main.ts"), path.join(here, "../core/dist/errors.js")];
for (const file of [...everydayRoots, ...eagerRoots]) {
  if (!existsSync(file)) throw new Error(`a root of the everyday bundle does not exist: ${file}`);
}
const door = /dist\/index\.js$/;

/** What `list` and `current` need, in one file: opening many small ones costs them a tenth of their time. */
function everyday() {
  let eager;
  let chosen;
  return {
    debugName: "everyday",
    name(id, graph) {
      eager ??= closure(eagerRoots, graph);
      chosen ??= closure(everydayRoots, graph);
      return !eager.has(id) && chosen.has(id) ? "everyday" : null;
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
    for (const next of graph.getModuleInfo(id)?.importedIds ?? []) if (!door.test(next)) found.add(next);
  }
  return found;
}

/** Removes the chunks of earlier builds: their names change with their content. */
const sweep = {
  name: "sweep-old-chunks",
  writeBundle(_, bundle) {
    for (const file of readdirSync(path.join(dist, "chunks"))) {
      if (bundle[`chunks/${file}`] === undefined) rmSync(path.join(dist, "chunks", file));
    }
  },
};

/** Writes every help text beside the bundle: yargs makes them, but showing one must not cost loading it. */
const storeHelp = {
  name: "store-help",
  async writeBundle({ dir }) {
    const { allHelp } = createRequire(import.meta.url)(path.join(dir, "help-writer.cjs"));
    writeFileSync(path.join(dist, "help.json"), JSON.stringify(await allHelp()));
  },
};

export default defineConfig([
  {
    ...common,
    preserveEntrySignatures: "allow-extension",
    input: { lockkeeper: path.join(here, "src/main.ts") },
    plugins: [sweep, deferBuiltins],
    output: { ...output, codeSplitting: { groups: [everyday()] } },
  },
  // A bundle of its own, not shipped: as a second entry of the first one it would split what `main` loads in two.
  {
    ...common,
    external: [...external, /\/commands\//],
    input: { "help-writer": path.join(here, "src/help-writer.ts") },
    plugins: [storeHelp],
    output: { ...output, dir: path.join(here, "build/help") },
  },
  ...["keeper", "gateway"].map((name) => ({
    ...common,
    input: { [name]: path.join(programs, `${name}.js`) },
    plugins: [deferBuiltins],
    output: { ...output, codeSplitting: false },
  })),
]);
