/** The gateway's access token: made here and nowhere else, for a created profile and for a clone. */
import { randomBytes, replaceFile } from "@lockkeeper/core/internal";

/** 256 bits: impossible to guess; the gateway host refuses much shorter ones. */
const TOKEN_BYTES = 32;

/** Writes a new token to `file` with mode 0600 and returns it. */
export async function writeNewToken(file: string): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  await replaceFile(file, `${token}\n`);
  return token;
}
