/**
 * The tool's own settings (`config.json` of the home). One table for reader, writer and help, and one literal with all
 * defaults.
 */
import type { FileOwner } from "@lockkeeper/core/internal";
import { ensureHome } from "../home.ts";
import { NAME_PATTERN } from "../profile-name.ts";
import { homePaths } from "../profile-paths.ts";
import { readSettingsFile, writeSettingsFile } from "./settings-file.ts";
import type { SettingSchema } from "./settings-file.ts";

/** The tool's settings. */
export interface Settings {
  readonly defaultProfile: string | null;
  readonly previousProfile: string | null;
  readonly poolFirst: number;
  readonly poolLast: number;
  /** `5432 postgres`, `6000-6010`: ports, then a blank and what they are reserved for. */
  readonly reservedPorts: readonly string[];
}

/** The tool's default settings. */
export const DEFAULT_SETTINGS: Settings = {
  defaultProfile: null,
  previousProfile: null,
  /** Source: the port on which OpenClaw gateways have always listened. */
  poolFirst: 18_789,
  /** Below the ephemeral range of most Linux systems. The host's real range is always excluded, whatever the pool says. */
  poolLast: 32_767,
  reservedPorts: [],
};

/** Ports below need a privilege on most systems. */
export const LOWEST_POOL_PORT = 1_024;

/** The allowed values of each of the tool's settings. */
export const settingsTable: Readonly<Record<keyof Settings, SettingSchema>> = {
  defaultProfile: { type: ["string", "null"], pattern: NAME_PATTERN, description: "the profile that commands act on" },
  previousProfile: { type: ["string", "null"], pattern: NAME_PATTERN, description: "where `use -` goes back to" },
  poolFirst: {
    type: "integer",
    minimum: LOWEST_POOL_PORT,
    maximum: 65_535,
    description: "the first port that new profiles may get",
  },
  poolLast: {
    type: "integer",
    minimum: LOWEST_POOL_PORT,
    maximum: 65_535,
    description: "the last port that new profiles may get",
  },
  reservedPorts: {
    type: "array",
    items: { type: "string", pattern: "^[1-9]\\d{0,4}(?:-[1-9]\\d{0,4})?(?: [^\\p{Cc}]{1,80})?$" },
    description: "ports that no profile gets (see `ports reserve`)",
  },
};

/**
 * Returns the tool's settings with every default filled in. Cheap: one small read.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED with path and position.
 */
export function readSettings(home: string, owner?: FileOwner): Settings {
  const values = readSettingsFile(homePaths(home).settings, settingsTable, owner) as Partial<Settings>;
  return { ...DEFAULT_SETTINGS, ...values };
}

/**
 * On return the tool's settings hold the changes that `decide` returned for the present ones; an empty answer writes nothing.
 * No other process changes them in between.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED, OPTION_INVALID, MUTEX_TIMEOUT, and file errors.
 */
export async function changeSettings(
  home: string,
  decide: (before: Settings) => Partial<Settings>,
): Promise<{ readonly before: Settings; readonly after: Settings }> {
  const { withFileMutex } = await import("./settings-mutex.ts");
  ensureHome(home);
  const { registryLock, settings } = homePaths(home);
  return withFileMutex(registryLock, async () => {
    const before = readSettings(home);
    const changes = decide(before);
    if (Object.keys(changes).length > 0) await writeSettingsFile(settings, settingsTable, { ...changes });
    return { before, after: { ...before, ...changes } };
  });
}
