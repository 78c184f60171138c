/** The gateway's access token: made here and nowhere else, for a created profile and for a clone. */
import { replaceFile } from "@lockkeeper/core";
import { randomBytes } from "node:crypto";

/** 256 bits: nobody guesses it, and the gateway host refuses much shorter ones. */
const TOKEN_BYTES = 32;

/** Returns a new token, which `file` holds on return with mode 0600. */
export async function writeNewToken(file: string): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  await replaceFile(file, `${token}\n`);
  return token;
}
