/** The secrets that must be hidden in the output of a gateway, by its keeper and by who repeats it. */
import { LockkeeperError } from "@lockkeeper/core";
import { formsOfSecrets, readIfPresentSync, withoutSecrets } from "@lockkeeper/core/internal";
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

/**
 * Returns what a gateway of the profile printed without the secrets that can be known here: those of {@link runSecrets}, the
 * values that are passed on as `env` has them. Nothing at all when the env file cannot be read: what stood in it may be in
 * any line.
 */
export async function shownOutput(
  lines: readonly string[],
  manifest: Manifest,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  try {
    const { env: own = {}, passEnv = [], envFile } = manifest;
    const inFile = envFile === undefined ? {} : await readEnvFile(envFile);
    const passed = Object.fromEntries(passEnv.map((name) => [name, env[name] ?? ""]));
    const forms = formsOfSecrets(await runSecrets(manifest, { ...inFile, ...own, ...passed }));
    return lines.map((line) => withoutSecrets(line, forms));
  } catch (error) {
    if (error instanceof LockkeeperError) return [];
    throw error;
  }
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
