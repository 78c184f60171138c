/** The built-in gateway's program, which a keeper opens before the first start, for a restart after an upgrade. */
import type { KeeperSpec } from "@lockkeeper/core";
import { existsSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../directory-entries.ts";

/**
 * Opens the program `file`; the caller closes it after the run. In the bundle it is a loader, and what is opened is the one file that
 * it loads, which is in the folder with the loader's name. Undefined when the program is missing.
 */
export function keepProgram(file: string): KeeperSpec["kept"] {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  const { dir, name } = path.parse(file);
  const loaded = entriesOf(path.join(dir, name)).find((entry) => text.includes(`"${entry}"`));
  return { path: file, fd: openSync(loaded === undefined ? file : path.join(dir, name, loaded), "r") };
}
