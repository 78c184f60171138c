/** The whole environment of a gateway, made anew at each start, for the keeper and for `exec --gateway-env`. */
import type { ProfilesContext } from "../context.ts";
import { fillVariable, templateValues } from "../kinds/argv-template.ts";
import { portVariables } from "../kinds/command.ts";
import type { Manifest } from "../manifest.ts";
import { observeProfile, statusOf } from "../status/observe-profile.ts";
import { buildChildEnvironment } from "./child-environment.ts";
import { readEnvFile } from "../env-file.ts";
import { isProfileVariable, profileEnvironment } from "./profile-environment.ts";

/**
 * Returns the gateway's environment for a run whose base port is `port`: the allow-list from the caller's, what the profile passes
 * on, `PORT` and `HOST`, the env file, the profile's own values, and last the variables that say which profile it is, so
 * that nothing inherited or configured can contradict them.
 *
 * @throws {LockkeeperError} UNSAFE_PATH, OPTION_INVALID and file errors for the env file.
 */
export async function gatewayEnvironment(
  context: ProfilesContext,
  manifest: Manifest,
  port: number,
  inherited: NodeJS.ProcessEnv = withoutProfile(context.env),
): Promise<Record<string, string>> {
  const pass = manifest.passEnv ?? [];
  const chosen = pass.filter((variable) => inherited[variable] !== undefined);
  const fromFile = manifest.envFile === undefined ? {} : await readEnvFile(manifest.envFile);
  return buildChildEnvironment({
    from: inherited,
    pass,
    own: {
      ...without(portVariables(manifest, port), chosen),
      ...fromFile,
      ...ownVariables(manifest, port),
      ...profileEnvironment(context.home, manifest, port),
    },
  });
}

/**
 * Returns the environment that the profile's gateway would get from this caller, with its present port.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, REGISTRY_DAMAGED; as {@link gatewayEnvironment}.
 */
export async function presentGatewayEnvironment(
  context: ProfilesContext,
  name: string,
): Promise<Record<string, string>> {
  const observation = observeProfile(context, name);
  return gatewayEnvironment(context, observation.manifest, statusOf(context, observation).port);
}

/** Returns the variables of `env` that say nothing of a profile. Each look into Node's own environment takes its time. */
export function withoutProfile(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isProfileVariable(name)));
}

/** The values of `--env`, with placeholders filled in. */
function ownVariables(manifest: Manifest, port: number): Readonly<Record<string, string>> {
  if (manifest.env === undefined) return {};
  const values = templateValues(manifest, port);
  return Object.fromEntries(Object.entries(manifest.env).map(([name, text]) => [name, fillVariable(text, values)]));
}

function without(record: Readonly<Record<string, string>>, names: readonly string[]): Readonly<Record<string, string>> {
  if (names.length === 0) return record;
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}
