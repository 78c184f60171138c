/**
 * The bundles of the command line. CommonJS, because Node starts it faster than ES modules, and split, so that a
 * command loads only what it needs. The keeper and the built-in gateway are programs of their own, one file each.
 */
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { defineConfig } from "rolldown";

const here = import.meta.dirname;
const dist = path.join(here, "dist");
const programs = path.join(here, "../profiles/dist/programs");

/** What cannot be inlined: the addon is machine code; the other two are optional parts of ws that we do not install. */
const external = ["fs-native-extensions", "bufferutil", "utf-8-validate"];

const common = { platform: "node", external, treeshake: { moduleSideEffects: false } };
const output = {
  dir: dist,
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "chunks/[name]-[hash].cjs",
  exports: "named",
};

/** Removes the chunks of earlier builds: their names change with their content. */
const sweep = {
  name: "sweep-old-chunks",
  buildStart() {
    rmSync(path.join(dist, "chunks"), { recursive: true, force: true });
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
  { ...common, input: { lockkeeper: path.join(here, "src/main.ts") }, plugins: [sweep], output },
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
    output: { ...output, codeSplitting: false },
  })),
]);
