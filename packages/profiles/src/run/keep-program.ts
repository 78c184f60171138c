/** The text of the built-in gateway's program, which a keeper reads before the first start, for a restart after an upgrade. */
import type { KeeperSpec } from "@lockkeeper/core";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../directory-entries.ts";

/**
 * Returns the program `file` with its whole text. In the bundle it is a loader, and the text is that of the one file that it loads,
 * which is in the folder with the loader's name. Undefined when the program is missing.
 */
export function keepProgram(file: string): KeeperSpec["kept"] {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file);
  const { dir, name } = path.parse(file);
  const loaded = entriesOf(path.join(dir, name)).find((entry) => text.includes(`"${entry}"`));
  return { path: file, source: loaded === undefined ? text : readFileSync(path.join(dir, name, loaded)) };
}
