/**
 * How a person or a client reaches a profile's gateway: the address of its page and the token that is valid now. The program's
 * own config decides; the profile's token file follows it.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { hostWithPort, reachableHost, readIfPresentSync, replaceFile } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { gatewayEnvironment } from "../environment/gateway-environment.ts";
import type { GatewayAccess } from "../foreign-program.ts";
import { kinds } from "../kinds/kinds.ts";
import { webSchemeOf } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { observeProfile, statusOf } from "../status/observe-profile.ts";
import type { ProfileState } from "../status/observed-state.ts";

/** How a gateway is reached. */
export interface ProfileAccess {
  readonly name: string;
  readonly state: ProfileState;
  /** `http://127.0.0.1:18789/`; null for a gateway without a page. Never contains a token. */
  readonly page: string | null;
  /** The suffix of the page's address that hands over the token; null without a token. A secret. */
  readonly fragment: string | null;
}

/**
 * Returns how the profile's gateway is reached on the port that it has now.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, REGISTRY_DAMAGED; the errors of its env file.
 */
export async function profileAccess(context: ProfilesContext, name: string): Promise<ProfileAccess> {
  const observation = observeProfile(context, name);
  const { manifest } = observation;
  const { state, port, scheme } = statusOf(context, observation);
  const access = await programAccess(context, manifest);
  const where = hostWithPort(reachableHost(manifest.host), port);
  if (access === undefined) {
    const page = manifest.kind === "command" ? `${webSchemeOf(scheme)}://${where}/` : null;
    return { name: manifest.name, state, page, fragment: null };
  }
  const page = access.page === "on" ? `${access.scheme}://${where}${access.pagePath}` : null;
  return { name: manifest.name, state, page, fragment: access.tokenFragment };
}

/**
 * Returns the profile's token.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID; UNSAFE_PATH when others can touch its file; IO_FAILED
 * when there is no token, with the reason.
 */
export async function readToken(context: ProfilesContext, name: string): Promise<string> {
  const { manifest } = observeProfile(context, name);
  const access = await programAccess(context, manifest);
  if (access === undefined) return readTokenFile(manifest);
  if (access.token === null) {
    throw new LockkeeperError("IO_FAILED", `${name} has no token: ${access.tokenFault}`, {
      hint: `Look at its config: ${manifest.paths.config}`,
    });
  }
  await followToken(manifest, access.token);
  return access.token;
}

/**
 * On return the profile's token file holds the token in its program's config. Does nothing when the config has none or cannot
 * be read, or when the file cannot be written: {@link readToken} reports the reason to whoever needs the token.
 */
export async function refreshTokenFile(context: ProfilesContext, manifest: Manifest): Promise<void> {
  try {
    const access = await programAccess(context, manifest);
    if (access !== undefined && access.token !== null) await followToken(manifest, access.token);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
  }
}

async function programAccess(context: ProfilesContext, manifest: Manifest): Promise<GatewayAccess | undefined> {
  const program = await kinds[manifest.kind].foreign?.();
  if (program === undefined) return undefined;
  return program.access(manifest, await gatewayEnvironment(context, manifest, manifest.port));
}

async function followToken({ paths }: Manifest, token: string): Promise<void> {
  if (!existsSync(path.dirname(paths.token)) || readIfPresentSync(paths.token)?.trim() === token) return;
  await replaceFile(paths.token, `${token}\n`);
}

async function readTokenFile({ name, paths }: Manifest): Promise<string> {
  const token = readIfPresentSync(paths.token)?.trim() ?? "";
  if (token !== "") return token;
  throw new LockkeeperError("IO_FAILED", `${name} has no token: ${paths.token} is missing or empty`, {
    hint: "A program of your own keeps its token where it likes.",
  });
}
