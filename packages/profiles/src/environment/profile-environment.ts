/**
 * The variables that tell a process its profile: config, state, port and workspace, together or not at all. One list for the
 * gateway's own environment, `exec`, `env` and `shell`. Pure.
 */
import { gatewayUrl } from "@lockkeeper/core";
import { reachableHost } from "@lockkeeper/core/internal";
import { isKindVariable, kinds } from "../kinds/kinds.ts";
import { schemeOf } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";

/** Our variables that name the profile. */
export const PROFILE_VARIABLES = [
  "LOCKKEEPER_PROFILE",
  "LOCKKEEPER_HOST",
  "LOCKKEEPER_PORT",
  "LOCKKEEPER_URL",
  "LOCKKEEPER_STATE_DIR",
  "LOCKKEEPER_CONFIG_PATH",
  "LOCKKEEPER_WORKSPACE",
  "LOCKKEEPER_TOKEN_FILE",
  "LOCKKEEPER_PROMPT",
  "LOCKKEEPER_RUN",
] as const;

/** Returns whether the variable can belong to a profile: one of ours, or one of a kind of gateway. */
export function isProfileVariable(variable: string): boolean {
  return PROFILE_VARIABLES.some((known) => known === variable) || isKindVariable(variable);
}

/** Returns the profile's own variables for a run whose base port is `port`; they go on top of a cleaned environment. */
export function profileEnvironment(home: string, manifest: Manifest, port: number): Record<string, string> {
  return {
    LOCKKEEPER_HOME: home,
    LOCKKEEPER_PROFILE: manifest.name,
    LOCKKEEPER_HOST: manifest.host,
    LOCKKEEPER_PORT: String(port),
    LOCKKEEPER_URL: gatewayUrl(reachableHost(manifest.host), port, schemeOf(manifest)),
    LOCKKEEPER_STATE_DIR: manifest.paths.state,
    LOCKKEEPER_CONFIG_PATH: manifest.paths.config,
    LOCKKEEPER_WORKSPACE: manifest.paths.workspace,
    LOCKKEEPER_TOKEN_FILE: manifest.paths.token,
    ...kinds[manifest.kind].environment(manifest, port),
  };
}
