/** The secrets that the keeper must hide in the output of its gateway. */
import { readIfPresentSync, LockkeeperError } from "@lockkeeper/core";
import { readEnvFile } from "./env-file.ts";
import type { Manifest } from "./manifest.ts";
import { isSecretName, secretsIn } from "./secrets.ts";

/**
 * Returns the secret values: all values of the profile's env file, the variables passed on from its starter, variables with a
 * secret's name, the token, and the secrets in its config.
 *
 * @param env the gateway's environment.
 */
export async function runSecrets(
  { passEnv = [], envFile, paths }: Manifest,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const inFile = envFile === undefined ? {} : await readEnvFile(envFile);
  const hidden = Object.entries(env).filter(
    ([name]) => isSecretName(name) || passEnv.includes(name) || Object.hasOwn(inFile, name),
  );
  return [
    ...hidden.map(([, value]) => value),
    textOf(paths.token).trim(),
    ...[...secretsIn(documentOf(textOf(paths.config)))].map(({ secret }) => secret),
  ];
}

function textOf(file: string): string {
  try {
    return readIfPresentSync(file) ?? "";
  } catch (error) {
    if (error instanceof LockkeeperError) return "";
    throw error;
  }
}

/** A config that is not JSON is not searched. */
function documentOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
