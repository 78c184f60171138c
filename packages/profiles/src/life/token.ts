/** The gateway's access token: made here and nowhere else, for a created profile and for a clone; and read for its owner. */
import { LockkeeperError, readIfPresent, replaceFile } from "@lockkeeper/core";
import { randomBytes } from "node:crypto";
import type { ProfilesContext } from "../context.ts";
import { requireManifest } from "../registry/registry.ts";

/** 256 bits: nobody guesses it, and the gateway host refuses much shorter ones. */
const tokenBytes = 32;

/** Returns a new token, which `file` holds on return with mode 0600. */
export async function writeNewToken(file: string): Promise<string> {
  const token = randomBytes(tokenBytes).toString("base64url");
  await replaceFile(file, `${token}\n`);
  return token;
}

/**
 * Returns the profile's token.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID; UNSAFE_PATH when its file is not ours alone;
 * IO_FAILED when there is none.
 */
export async function readToken({ home }: Pick<ProfilesContext, "home">, name: string): Promise<string> {
  const { token: file } = requireManifest(home, name).paths;
  const token = (await readIfPresent(file))?.trim() ?? "";
  if (token !== "") return token;
  throw new LockkeeperError("IO_FAILED", `${name} has no token: ${file} is missing or empty`, {
    hint: "A profile of its own kind of gateway may keep its token elsewhere; look at its config.",
  });
}
