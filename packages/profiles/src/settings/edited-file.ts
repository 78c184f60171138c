/**
 * Writes a settings file for `config set`: conf checks the whole file by the JSON schema, of which the cheap reader knows a
 * part, keeps unknown keys, and writes. Loaded only by that command, because conf and its validator take as much computing
 * time as all of `lockkeeper use`.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { fileError, syncDirectory, warnAfter } from "@lockkeeper/core/internal";
import Conf from "conf";
import { basename, dirname } from "node:path";
import { readSettingsFile, requireAllowed } from "./settings-file.ts";
import type { SettingsTable, SettingsValues } from "./settings-file.ts";

/** The same promise as `writeSettingsFile`. */
export async function editSettingsFile(path: string, table: SettingsTable, changes: SettingsValues): Promise<void> {
  // A file that conf would refuse is reported in our words first, with the key and the place.
  requireAllowed(table, changes);
  readSettingsFile(path, table);
  try {
    new Conf<Record<string, unknown>>({
      cwd: dirname(path),
      configName: basename(path, ".json"),
      accessPropertiesByDotNotation: false,
      configFileMode: 0o600,
      schema: table as never,
    }).set(changes);
  } catch (error) {
    throw fileError(error, "write the settings", path);
  }
  try {
    // conf makes the file durable, but not its name: that is done here.
    await syncDirectory(dirname(path));
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    warnAfter("the settings are changed", error);
  }
}
