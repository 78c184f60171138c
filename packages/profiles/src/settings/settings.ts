/**
 * The tool's own settings (`config.json` of the home) and those of a built-in gateway (`config/gateway.json` of its
 * profile). Each is one table, from which reader, writer and help derive; each has one literal with all defaults.
 */
import {
  type FileOwner,
  GATEWAY_LIMITS,
  type GatewayLimitOptions,
  type GatewayLimits,
  highestLimit,
} from "@lockkeeper/core";
import { ensureHome } from "../home.ts";
import { homePaths } from "../profile-paths.ts";
import { readSettingsFile, type SettingSchema, writeSettingsFile } from "./settings-file.ts";

/** The tool's settings. */
export interface Settings {
  readonly defaultProfile: string | null;
  readonly previousProfile: string | null;
  readonly poolFirst: number;
  readonly poolLast: number;
}

/** The tool's settings where nothing is set. */
export const defaultSettings: Settings = {
  defaultProfile: null,
  previousProfile: null,
  /** Source: the port on which OpenClaw gateways have always listened. */
  poolFirst: 18_789,
  /** Below the ephemeral range of most Linux systems. The host's real one is left out whatever the pool says. */
  poolLast: 32_767,
};

const profileName = "^[a-z0-9][a-z0-9-]{0,31}$";

/** What each of the tool's settings may be. */
export const settingsTable: Readonly<Record<keyof Settings, SettingSchema>> = {
  defaultProfile: { type: ["string", "null"], pattern: profileName, description: "the profile that commands act on" },
  previousProfile: { type: ["string", "null"], pattern: profileName, description: "where `use -` goes back to" },
  poolFirst: { type: "integer", minimum: 1024, maximum: 65_535, description: "first port that new profiles may get" },
  poolLast: { type: "integer", minimum: 1024, maximum: 65_535, description: "last port that new profiles may get" },
};

/** The settings of a built-in gateway; what is absent has the gateway host's own default. */
export interface GatewaySettings extends GatewayLimitOptions {
  readonly allowedHosts?: readonly string[];
  readonly allowedOrigins?: readonly string[];
}

/** A built-in gateway's settings where nothing is set; its lists are then empty. */
export const defaultGatewaySettings: GatewaySettings = Object.fromEntries(
  Object.entries(GATEWAY_LIMITS).map(([name, limit]) => [name, limit.default]),
);

/** What each of a built-in gateway's settings may be. */
export const gatewaySettingsTable: Readonly<Record<keyof GatewaySettings, SettingSchema>> = {
  allowedHosts: {
    type: "array",
    items: { type: "string", pattern: "^[A-Za-z0-9._\\[\\]:-]+$" },
    description: "names accepted in the Host header, beside loopback and <profile>.localhost",
  },
  allowedOrigins: {
    type: "array",
    items: { type: "string", pattern: "^[a-z][a-z0-9+.-]*://[^/ ]+$" },
    description: "origins whose pages may connect, such as https://app.example",
  },
  ...limitSettings(),
};

function limitSettings(): Readonly<Record<keyof GatewayLimits, SettingSchema>> {
  const table: Partial<Record<keyof GatewayLimits, SettingSchema>> = {};
  for (const [name, { what }] of Object.entries(GATEWAY_LIMITS)) {
    const limit = name as keyof GatewayLimits;
    table[limit] = { type: "integer", minimum: 1, maximum: highestLimit(limit), description: what };
  }
  return table as Readonly<Record<keyof GatewayLimits, SettingSchema>>;
}

/**
 * Returns the tool's settings with every default filled in. Cheap: one small read.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED with path and position.
 */
export function readSettings(home: string, owner?: FileOwner): Settings {
  const values = readSettingsFile(homePaths(home).settings, settingsTable, owner) as Partial<Settings>;
  return { ...defaultSettings, ...values };
}

/**
 * On return the tool's settings hold the changes that `decide` returned for what they were; an empty answer writes
 * nothing. Nobody else changes them in between.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED, OPTION_INVALID, MUTEX_TIMEOUT, and what file calls throw.
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

/**
 * Returns the settings of the built-in gateway whose config is at `path`.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED with path and position.
 */
export function readGatewaySettings(path: string): GatewaySettings {
  const values = Object.entries(readSettingsFile(path, gatewaySettingsTable));
  // What else stands in the file means nothing, and the gateway host would refuse it.
  return Object.fromEntries(values.filter(([key]) => Object.hasOwn(gatewaySettingsTable, key))) as GatewaySettings;
}
