/** A rolldown plugin that writes the loader beside the bundle, under the name by which the program is called. */
import { readFileSync } from "node:fs";
import path from "node:path";

/**
 * The first lines of the program: a shell runs it in a Node that takes nothing of our command line for its own. Every Node up to 26
 * does so without the `--`, even behind the name of a script: it obeys NODE_OPTIONS in the file of an `--env-file`, which may be
 * anybody's, before we have looked whose it is, and ends with 9 when that file is missing. To Node the second line is a string and
 * a comment. Source: https://github.com/nodejs/node/issues/54232
 */
export const SHELL_START = `#!/bin/sh
':' //; exec node -- "$0" "$@"
`;

/**
 * Returns the plugin. `fileName` is the loader's; the bundle has one entry, whose name holds a hash. `start`: the first lines of the
 * loader. `firstPicture` returns the name of a file to load first for `top`. `version` is the program's, for `short-answers.cjs`.
 */
export function withLoader(fileName, { start = "", firstPicture, version } = {}) {
  return {
    name: "with-loader",
    generateBundle(_, bundle) {
      for (const { fileName: name, code = "" } of Object.values(bundle)) {
        // The loader compiles files in a way that has no `import()`; what is imported on demand must be required by now.
        const found = /(?<![\w$.])import\(.{0,60}/.exec(code);
        if (found !== null) throw new Error(`${name} imports what the loader cannot: ${found[0]}`);
      }
      const entry = Object.values(bundle).find((file) => file.type === "chunk" && file.isEntry);
      if (entry === undefined) throw new Error("the bundle has no entry");
      const source = readFileSync(path.join(import.meta.dirname, "loader.cjs"), "utf8");
      const text = source
        .replace(/^#!.*\n/, () => start)
        .replace(/^const vm = /m, (rest) => (version === undefined ? "" : shortAnswers(version)) + rest)
        .replace(/^load\("MAIN_FOLDER", "MAIN_FILE"\);\n/m, () => {
          const picture = firstPicture === undefined ? "" : `if (process.argv[2] === "top") ${loading(firstPicture())}`;
          return picture + loading(entry.fileName);
        });
      this.emitFile({ type: "asset", fileName, source: text });
    },
  };
}

/** What comes after the module that the loader has as well. */
function shortAnswers(version) {
  const source = readFileSync(path.join(import.meta.dirname, "short-answers.cjs"), "utf8");
  return `${source.slice(source.indexOf("const [")).replace("VERSION", version)}\n`;
}

/** Loads a file of the bundle: `chunks/main-x.cjs`. The live view shows its names before the rest is read. */
function loading(file) {
  const [folder, name] = file.split("/");
  return `load(${JSON.stringify(folder)}, ${JSON.stringify(name)});\n`;
}
