/**
 * The files of the bundle that only a start needs lie in a folder of their own beside the program. A keeper that has started its
 * gateway lets go of them: it may live for months, and what they bring is a tenth of its memory.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The name of that folder; the configuration of the bundle puts them there. */
const FOLDER = "start";

/** On return no module of a file in that folder is known any more; outside of a bundle there is none. */
export function letGoOfStartFiles(): void {
  const { cache } = createRequire(import.meta.url);
  const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), FOLDER) + path.sep;
  for (const [file, module] of Object.entries(cache)) {
    if (module === undefined) continue;
    module.children = module.children.filter(({ filename }) => !filename.startsWith(folder));
    if (file.startsWith(folder)) delete cache[file];
  }
}
