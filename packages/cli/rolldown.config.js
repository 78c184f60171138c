/**
 * The bundles of the command line. CommonJS, because Node starts it faster than ES modules, and split, so that a
 * command loads only what it needs. The keeper and the built-in gateway are programs of their own.
 */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { defineConfig } from "rolldown";
import { dataAsText } from "./bundle/data-as-text.js";
import { deferBuiltins, deferFiles } from "./bundle/defer-loading.js";
import { deferRequired } from "./bundle/defer-required.js";
import { earlyClock } from "./bundle/early-clock.js";
import { ENTRY, KEEPING, keeperFiles, programFiles } from "./bundle/file-of-module.js";
import { refuseCircle } from "./bundle/find-circle.js";
import { importsOnDemand } from "./bundle/imports-on-demand.js";
import { loadTogether } from "./bundle/load-together.js";
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

/**
 * Makes each file the text of one function, which the loader calls. A text of 70 KB that is put together when it is loaded is
 * there twice, and a few of them more fill V8's young generation, so that it is collected. A gateway's file stays a module: a
 * keeper starts it without the loader when an upgrade has removed that.
 */
const AS_FUNCTION = {
  postBanner: "(function (exports, require, module, __filename, __dirname) {",
  postFooter: "})",
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

/** Fails when files of the bundle need each other in a circle, for a bundle whose files are loaded at once. */
const refuseCircles = {
  name: "refuse-circles",
  generateBundle(_, bundle) {
    refuseCircle(new Map(Object.entries(bundle).map(([file, { imports = [] }]) => [file, imports])));
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
      nameFirstPicture,
      sweep("first"),
      deferBuiltins,
      earlyClock,
      plainExports,
      ownHelpers,
      minifyToOneByte,
    ],
    output: { ...output, ...AS_FUNCTION, entryFileNames: "first/[name]-[hash].cjs", codeSplitting: false },
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
      loadTogether(KEEPING),
      importsOnDemand,
      earlyClock,
      plainExports,
      ownHelpers,
      minifyToOneByte,
    ],
    output: {
      ...output,
      ...AS_FUNCTION,
      entryFileNames: "chunks/[name]-[hash].cjs",
      codeSplitting: { groups: [programFiles()] },
    },
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
      ownHelpers,
      minifyToOneByte,
    ],
    output: {
      ...output,
      entryFileNames: "kept/[name]-[hash].cjs",
      chunkFileNames: "start/[name]-[hash].cjs",
      codeSplitting: { groups: [keeperFiles()] },
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
