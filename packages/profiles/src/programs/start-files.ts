/**
 * The files of the bundle that only a start needs are in a separate folder beside the program's own. A keeper that has started its
 * gateway releases them, because it may live for months and they are a tenth of its memory.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The name of that folder, as in the configuration of the bundle. */
const FOLDER = "start";

/** On return no module of a file in that folder is loaded any more; outside of a bundle there is none. */
export function letGoOfStartFiles(): void {
  const { cache } = createRequire(import.meta.url);
  const folder = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), FOLDER) + path.sep;
  for (const [file, module] of Object.entries(cache)) {
    if (module === undefined) continue;
    module.children = module.children.filter(({ filename }) => !filename.startsWith(folder));
    if (file.startsWith(folder)) delete cache[file];
  }
}
