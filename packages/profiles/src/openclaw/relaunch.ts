/**
 * How to start an OpenClaw gateway again that a person had started by hand: with its own variables, and with those that say
 * which profile it is. `--profile` sets them inside the process only, and OpenClaw shows its title in place of its arguments.
 */
import { isLoopbackHost } from "@lockkeeper/core/internal";
import type { ProcessLaunch } from "@lockkeeper/core/internal";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import type { Manifest } from "../manifest.ts";
import { splitCommand } from "./command-line.ts";
import { flagValue } from "./gateway-port.ts";

/** Variables that OpenClaw or its manager sets for one process; a newly started process gets its own. */
const MARKS =
  /^OPENCLAW_(?:SERVICE_.*|SYSTEMD_UNIT|LAUNCHD_.*|WINDOWS_.*|NODE_OPTIONS_READY|NODE_EXTRA_CA_CERTS_READY|NO_RESPAWN|SUPERVISOR_MODE|SHELL|STATE_DIR|CONFIG_PATH|GATEWAY_PORT|PROFILE|HOME)$/;

/**
 * Returns whether a variable says which gateway it is or what manages it. Ours has its own, so losing the variable is
 * harmless.
 */
export function isOwnMark(variable: string): boolean {
  return MARKS.test(variable);
}

/**
 * Returns what to run. An argv that is still visible is run literally. Where it is not, a gateway that only this machine could reach
 * is told to stay so: that may have stood in its arguments alone.
 */
export function relaunch(
  manifest: Manifest,
  { argv, env, cwd }: ProcessLaunch,
  addresses: readonly string[] | "unknown",
): ProcessLaunch {
  const { paths, port } = manifest;
  const identity = {
    OPENCLAW_STATE_DIR: paths.state,
    OPENCLAW_CONFIG_PATH: paths.config,
    OPENCLAW_GATEWAY_PORT: String(port),
    ...(manifest.env?.["OPENCLAW_PROFILE"] === undefined ? {} : { OPENCLAW_PROFILE: manifest.env["OPENCLAW_PROFILE"] }),
  };
  const { program, flags } = splitCommand(manifest.command);
  const isLocal = addresses !== "unknown" && addresses.length > 0 && addresses.every(isLoopbackHost);
  const bind = isLocal && flagValue(flags, "--bind") === undefined ? ["--bind", "loopback"] : [];
  const started = manifest.command === undefined ? [startedFrom(env) ?? "openclaw"] : program;
  return {
    argv: argv.length > 1 ? argv : [...started, "gateway", "run", "--port", String(port), ...flags, ...bind],
    env: { ...env, ...identity },
    cwd,
  };
}

/** Shells put the path of the program that they start into `_`. */
function startedFrom(env: Readonly<Record<string, string>>): string | undefined {
  const file = env["_"];
  if (file === undefined || !path.isAbsolute(file) || !path.basename(file).startsWith("openclaw")) return undefined;
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined;
  }
}
