/** What the keeper of a profile must not keep of the output of its gateway. */
import { readIfPresentSync, LockkeeperError } from "@lockkeeper/core";
import { readEnvFile } from "./env-file.ts";
import type { Manifest } from "./manifest.ts";
import { isSecretName, secretsIn } from "./secrets.ts";

/**
 * Returns the values that are secret: all of the profile's env file, what it passes on from its starter, those whose name says
 * so, the token, and the secrets in its config.
 *
 * @param env what the gateway gets.
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

/** A config in another language than JSON tells nothing here. */
function documentOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
