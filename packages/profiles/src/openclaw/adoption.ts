/**
 * The parts of a manifest that come from an OpenClaw gateway that is adopted in place. Reads nothing except whether a
 * workspace exists.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import type { AdoptedParts, Installation } from "../foreign-program.ts";
import { expandHome, unitEnvironment } from "../service-units/unit-environment.ts";
import { formatCommand, parseGatewayCommand } from "./command-line.ts";
import { flagValue } from "./gateway-port.ts";
import type { OpenClawConfig } from "./config-file.ts";

/** Returns the parts; nothing is written. `ourHome`: the home of our own user. */
export function adoptedParts(installation: Installation, config: OpenClawConfig, ourHome: string): AdoptedParts {
  const { name, units, userHome } = installation;
  const { command, secrets } = commandOf(installation);
  return {
    command,
    // Its original working directory: relative paths in its config refer to it.
    cwd:
      units.map(({ workingDirectory }) => workingDirectory && expandHome(workingDirectory, userHome)).find(Boolean) ??
      userHome,
    env: {
      // OpenClaw puts some of its paths under the profile's name, so the gateway keeps its old name.
      ...(name === "default" ? {} : { OPENCLAW_PROFILE: name }),
      // `~` in its config means its old home, and its clients must use the same home.
      ...(userHome === ourHome ? {} : { HOME: userHome, OPENCLAW_HOME: userHome }),
      ...secrets,
    },
    workspace: workspaceOf(installation, config, ourHome),
  };
}

/** A profile's command is shown to anyone who looks. These flags become variables, whose values are never shown. */
const SECRET_FLAGS: readonly (readonly [flag: string, variable: string])[] = [
  ["--token", "OPENCLAW_GATEWAY_TOKEN"],
  ["--password", "OPENCLAW_GATEWAY_PASSWORD"],
];

/** The program of its unit with the arguments after `gateway run`; undefined for `openclaw` from the PATH without flags. */
function commandOf({ units }: Installation): {
  readonly command: readonly string[] | undefined;
  readonly secrets: Readonly<Record<string, string>>;
} {
  for (const { argv } of units) {
    const parsed = parseGatewayCommand(argv);
    if (parsed === undefined) continue;
    const secrets = SECRET_FLAGS.flatMap(([flag, variable]) => {
      const value = flagValue(parsed.flags, flag);
      return value === undefined ? [] : [[variable, value] as const];
    });
    const flags = SECRET_FLAGS.reduce((kept, [flag]) => withoutFlag(kept, flag), parsed.flags);
    return { command: formatCommand({ ...parsed, flags }), secrets: Object.fromEntries(secrets) };
  }
  return { command: undefined, secrets: {} };
}

function withoutFlag(argv: readonly string[], flag: string): readonly string[] {
  const at = argv.indexOf(flag);
  const kept = at < 0 ? argv : argv.toSpliced(at, 2);
  return kept.filter((argument) => !argument.startsWith(`${flag}=`));
}

/**
 * Source: https://docs.openclaw.ai/concepts/agent-workspace: the config, else OPENCLAW_WORKSPACE_DIR, else `workspace` in
 * the state directory; earlier versions used `~/.openclaw/workspace-<profile>`, which counts where it exists.
 */
function workspaceOf(
  { units, name, stateDir, realStateDir, userHome }: Installation,
  config: OpenClawConfig,
  ourHome: string,
): string {
  const configured =
    config.workspace ?? units.map((unit) => unitEnvironment(unit, ourHome)["OPENCLAW_WORKSPACE_DIR"]).find(Boolean);
  if (configured !== undefined && configured !== null) return path.resolve(userHome, expandHome(configured, userHome));
  const earlier = path.join(userHome, ".openclaw", `workspace-${name}`);
  return name !== "default" && existsSync(earlier) ? earlier : path.join(realStateDir ?? stateDir, "workspace");
}
