/**
 * The settings of a built-in gateway (`config/gateway.json` of its profile). One table, from which reader, writer and help
 * derive, and one literal with all defaults. A file of its own: what only reads the tool's settings does not pay for it.
 */
import { GATEWAY_LIMITS, highestLimit } from "@lockkeeper/core";
import type { GatewayLimitOptions, GatewayLimits } from "@lockkeeper/core";
import { readSettingsFile } from "./settings-file.ts";
import type { SettingSchema } from "./settings-file.ts";

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
 * Returns the settings of the built-in gateway whose config is at `path`.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED with path and position.
 */
export function readGatewaySettings(path: string): GatewaySettings {
  const values = Object.entries(readSettingsFile(path, gatewaySettingsTable));
  // What else stands in the file means nothing, and the gateway host would refuse it.
  return Object.fromEntries(values.filter(([key]) => Object.hasOwn(gatewaySettingsTable, key))) as GatewaySettings;
}
