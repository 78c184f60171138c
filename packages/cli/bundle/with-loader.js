/** A rolldown plugin that writes the loader beside the bundle, under the name by which the program is called. */
import { readFileSync } from "node:fs";
import path from "node:path";

/** Returns the plugin. `fileName` is the loader's; the bundle has one entry, whose name holds a hash. */
export function withLoader(fileName) {
  return {
    name: "with-loader",
    generateBundle(_, bundle) {
      const entry = Object.values(bundle).find((file) => file.type === "chunk" && file.isEntry);
      if (entry === undefined) throw new Error("the bundle has no entry");
      const text = readFileSync(path.join(import.meta.dirname, "loader.cjs"), "utf8");
      this.emitFile({ type: "asset", fileName, source: text.replace('"MAIN_FILE"', JSON.stringify(entry.fileName)) });
    },
  };
}
