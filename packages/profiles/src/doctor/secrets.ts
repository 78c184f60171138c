/**
 * Checks for one secret in two profiles: two gateways with one bot token take each other's messages. Secrets are compared in
 * memory, for as long as the check takes; no secret is ever printed or kept.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { PathLook } from "@lockkeeper/core/internal";
import { secretsIn } from "../secrets.ts";
import { readAssignments } from "../service-units/environment-file.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import type { Finding, Scene } from "./finding.ts";

/** Shorter values are words like `none`, or no real secrets. */
const SHORTEST_SECRET = 8;

interface Place {
  readonly profile: string;
  readonly where: string;
}

/** Finds a secret that two profiles share; names the places, never the secret. */
export async function checkSecrets({ patients, facts: { look } }: Scene): Promise<readonly Finding[]> {
  const places = new Map<string, Place[]>();
  for (const { manifest } of patients) {
    for (const { where, secret } of await secretsOf(manifest, look)) {
      const place = { profile: manifest.name, where };
      const others = places.get(secret);
      if (others === undefined) places.set(secret, [place]);
      else others.push(place);
    }
  }
  const several = [...places.values()].filter(({ length }) => length > 1);
  return several.flatMap((equal) => {
    const profiles = [...new Set(equal.map(({ profile }) => profile))];
    if (profiles.length < 2) return [];
    const finding: Finding = {
      weight: "warning",
      code: "secret-shared",
      title: `${profiles.join(" and ")} hold the same secret`,
      evidence: equal.map(({ profile, where }) => `${profile}: ${where}`),
      command: null,
    };
    return [finding];
  });
}

async function secretsOf(manifest: Manifest, look: PathLook): Promise<readonly { where: string; secret: string }[]> {
  const { kind, env, envFile, paths } = manifest;
  const found: { where: string; secret: string }[] = [];
  const own = readToken(paths.token, look);
  if (own !== undefined) found.push({ where: "token", secret: own });
  const add = (where: string, secret: string): void => {
    // The config that we seeded holds the profile's own token.
    if (secret.length >= SHORTEST_SECRET && secret !== own) found.push({ where, secret });
  };
  if (env !== undefined) for (const { where, secret } of secretsIn(env)) add(`env ${where}`, secret);
  const inFile = envFile === undefined ? {} : readAssignments(envFile);
  for (const { where, secret } of secretsIn(inFile)) add(`env file ${where}`, secret);
  const { foreign } = kinds[kind];
  if (foreign === undefined) return found;
  const config = (await (await foreign()).readConfig(manifest)).document;
  for (const { where, secret } of secretsIn(config)) {
    // `${NAME}` stands for a variable of the environment, and two profiles may use the same name.
    if (!secret.startsWith("$")) add(`config ${where}`, secret);
  }
  return found;
}

function readToken(path: string, look: PathLook): string | undefined {
  try {
    return look.read(path)?.trim();
  } catch (error) {
    if (error instanceof LockkeeperError) return undefined;
    throw error;
  }
}
