/**
 * One secret in two profiles: two gateways with one bot token take each other's messages. Compared by a hash whose key
 * is drawn anew each time and forgotten; no secret is ever printed or kept.
 */
import { LockkeeperError, readIfPresentSync } from "@lockkeeper/core";
import { createHmac, randomBytes } from "node:crypto";
import { readOpenClawConfig } from "../discover/openclaw-config.ts";
import type { Manifest } from "../manifest.ts";
import type { Finding, Scene } from "./finding.ts";

/** Keys that hold a secret, in configs and environments. */
const secretKey = /(?:token|secret|password|passwd|api_?key|private_?key)$/i;
/** Shorter ones are words like `none`, or not worth the name. */
const shortestSecret = 8;
/** Deeper is no config that a person wrote. */
const deepest = 12;

interface Place {
  readonly profile: string;
  readonly where: string;
}

export async function checkSecrets({ patients }: Scene): Promise<readonly Finding[]> {
  const salt = randomBytes(32);
  const places = new Map<string, Place[]>();
  for (const { manifest } of patients) {
    for (const { where, secret } of await secretsOf(manifest)) {
      const hash = createHmac("sha256", salt).update(secret).digest("hex");
      places.set(hash, [...(places.get(hash) ?? []), { profile: manifest.name, where }]);
    }
  }
  return [...places.values()].flatMap((equal) => {
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

async function secretsOf({ kind, env, paths }: Manifest): Promise<readonly { where: string; secret: string }[]> {
  const found: { where: string; secret: string }[] = [];
  const own = readToken(paths.token);
  if (own !== undefined) found.push({ where: "token", secret: own });
  const add = (where: string, secret: string): void => {
    // The config that we seeded holds the profile's own token.
    if (secret.length >= shortestSecret && secret !== own) found.push({ where, secret });
  };
  for (const [key, value] of Object.entries(env ?? {})) if (secretKey.test(key)) add(`env ${key}`, value);
  if (kind === "openclaw") collect((await readOpenClawConfig(paths.config)).document, [], add);
  return found;
}

function collect(value: unknown, keys: readonly string[], add: (where: string, secret: string) => void): void {
  if (typeof value === "string") {
    // `${NAME}` stands for a variable of the environment, which two profiles may well call the same.
    if (secretKey.test(keys.at(-1) ?? "") && !value.startsWith("$")) add(`config ${keys.join(".")}`, value);
    return;
  }
  if (typeof value !== "object" || value === null || keys.length >= deepest) return;
  for (const [key, each] of Object.entries(value)) collect(each, [...keys, key], add);
}

function readToken(path: string): string | undefined {
  try {
    return readIfPresentSync(path)?.trim();
  } catch (error) {
    if (error instanceof LockkeeperError) return undefined;
    throw error;
  }
}
