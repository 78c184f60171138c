/**
 * How a browser or another client reaches a running OpenClaw gateway, from the config that is valid now.
 *
 * Source: OpenClaw 2026.9.6, docs/web/urls, docs/gateway/config-gateway: the Control UI is served under
 * `gateway.controlUi.basePath`, takes a token as `#token=`, and is off with `gateway.controlUi.enabled: false`.
 */
import type { GatewayAccess } from "../foreign-program.ts";
import type { Manifest } from "../manifest.ts";
import { readAssignments } from "../service-units/environment-file.ts";
import { splitCommand } from "./command-line.ts";
import { at, readConfigFile } from "./config-file.ts";
import { flagValue } from "./gateway-port.ts";

/** Returns how it is reached. `env`: the gateway's own environment, which may hold the token. */
export async function gatewayAccess(
  { command, paths }: Manifest,
  env: Readonly<Record<string, string>>,
): Promise<GatewayAccess> {
  const { document, fault } = await readConfigFile(paths.config);
  const basePath = at(document, "gateway", "controlUi", "basePath");
  const prefix = typeof basePath === "string" ? basePath.replace(/^\/*|\/*$/g, "") : "";
  const variables = { ...readAssignments(`${paths.state}/.env`), ...env };
  const { token, tokenFault } = tokenOf(document, fault, splitCommand(command).flags, variables);
  return {
    pagePath: prefix === "" ? "/" : `/${prefix}/`,
    page: at(document, "gateway", "controlUi", "enabled") === false ? "off" : "on",
    scheme: at(document, "gateway", "tls", "enabled") === true ? "https" : "http",
    token,
    tokenFault,
    tokenFragment: token === null ? null : `#token=${encodeURIComponent(token)}`,
  };
}

function tokenOf(
  document: unknown,
  fault: string | null,
  flags: readonly string[],
  variables: Readonly<Record<string, string>>,
): Pick<GatewayAccess, "token" | "tokenFault"> {
  const mode = flagValue(flags, "--auth") ?? at(document, "gateway", "auth", "mode");
  if (mode === "none") return none("its config asks for no token (gateway.auth.mode is none)");
  if (mode === "password") return none("its config asks for a password (gateway.auth.mode is password)");
  const written = flagValue(flags, "--token") ?? at(document, "gateway", "auth", "token");
  if (written === undefined) {
    const given = variables["OPENCLAW_GATEWAY_TOKEN"];
    return given === undefined
      ? none(fault ?? "its config has no gateway.auth.token")
      : { token: given, tokenFault: null };
  }
  if (typeof written !== "string") return none("its config refers to a secret store (gateway.auth.token)");
  const name = /^\$\{([A-Z_][A-Z0-9_]*)\}$/.exec(written)?.[1];
  if (name === undefined) return { token: written, tokenFault: null };
  const value = variables[name];
  return value === undefined
    ? none(`its config takes the token from ${name}, which is not set`)
    : { token: value, tokenFault: null };
}

function none(tokenFault: string): Pick<GatewayAccess, "token" | "tokenFault"> {
  return { token: null, tokenFault };
}
