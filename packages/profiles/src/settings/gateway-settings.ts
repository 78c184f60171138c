/**
 * The settings of a built-in gateway (`config/gateway.json` of its profile). One table for reader, writer and help, and one
 * literal with all defaults. It is a separate file, so that reading the tool's settings does not load it.
 */
import { GATEWAY_LIMITS } from "@lockkeeper/core";
import { highestLimit, HOST_HEADER_PATTERN, ORIGIN_PATTERN } from "@lockkeeper/core/internal";
import type { GatewayLimitOptions, GatewayLimits } from "@lockkeeper/core";
import { readSettingsFile } from "./settings-file.ts";
import type { SettingSchema } from "./settings-file.ts";

/** The settings of a built-in gateway; a missing one has the gateway host's default. */
export interface GatewaySettings extends GatewayLimitOptions {
  readonly allowedHosts?: readonly string[];
  readonly allowedOrigins?: readonly string[];
}

/** A built-in gateway's default settings; its lists are empty. */
export const defaultGatewaySettings: GatewaySettings = Object.fromEntries(
  Object.entries(GATEWAY_LIMITS).map(([name, limit]) => [name, limit.default]),
);

/** The allowed values of each setting of a built-in gateway. */
export const gatewaySettingsTable: Readonly<Record<keyof GatewaySettings, SettingSchema>> = {
  allowedHosts: {
    type: "array",
    items: { type: "string", pattern: HOST_HEADER_PATTERN },
    description: "names accepted in the Host header, beside loopback and <profile>.localhost",
  },
  allowedOrigins: {
    type: "array",
    items: { type: "string", pattern: ORIGIN_PATTERN },
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
  // Other keys in the file mean nothing, and the gateway host would refuse them.
  return Object.fromEntries(values.filter(([key]) => Object.hasOwn(gatewaySettingsTable, key))) as GatewaySettings;
}
