/**
 * A profile's env file: secrets that are read at each start and kept nowhere else. Anybody who can write it decides
 * what the gateway is told, and anybody who can read it knows its secrets, so a file that others can touch is refused.
 * Plain lines: no quoting, no expansion, no `export`.
 */
import { errnoOf, fileError, LockkeeperError } from "@lockkeeper/core";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** More than any environment: Linux hands no more than this to a program in one string, and few MiB in all. */
const maxBytes = 128 * 1024;

/**
 * Returns the values of the file's `NAME=value` lines.
 *
 * @throws {LockkeeperError} UNSAFE_PATH when it is not a regular file of the user's own with mode 0600 or less;
 *   OPTION_INVALID when it is missing or a line is not `NAME=value`; else what the failed file call says.
 */
export async function readEnvFile(file: string): Promise<Readonly<Record<string, string>>> {
  const handle = await openEnvFile(file);
  try {
    await requirePrivate(handle, file);
    return parseEnvFile(await handle.readFile("utf8"), file);
  } catch (error) {
    throw fileError(error, "read the env file", file);
  } finally {
    await handle.close();
  }
}

/**
 * Returns the values of `NAME=value` lines: the name ends at the first `=`, the value at the end of the line, the last
 * of two equal names wins. Blank lines and lines that begin with `#` are passed over. Pure; `file` is for the message.
 *
 * @throws {LockkeeperError} OPTION_INVALID naming the line, never its text, which may be a secret.
 */
export function parseEnvFile(text: string, file: string): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([^\0]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new LockkeeperError("OPTION_INVALID", `not a NAME=value line: ${file}, line ${index + 1}`, {
        hint: "Each line is NAME=value; comments begin with #.",
      });
    }
    values.set(name, value);
  }
  return Object.fromEntries(values);
}

async function openEnvFile(file: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK a FIFO at this place would hold the start up until somebody writes to it.
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw fileError(error, "read the env file", file);
    throw new LockkeeperError("OPTION_INVALID", `the env file is missing: ${file}`, {
      cause: error,
      hint: "Put it back with mode 0600; it is read at each start.",
    });
  }
}

/** Judges the opened file, not the path: what was checked is what is read. */
async function requirePrivate(handle: FileHandle, file: string): Promise<void> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw unsafe(`the env file is not a regular file: ${file}`, "Name a plain file.");
  if (stats.size > maxBytes) {
    throw unsafe(`the env file is too large: ${file} has ${stats.size} bytes`, `At most ${maxBytes} bytes are read.`);
  }
  // Windows keeps no such modes; there the folder's access list decides. Untested.
  if (process.platform === "win32") return;
  if (stats.uid !== process.geteuid?.() && stats.uid !== 0) {
    throw unsafe(`the env file belongs to another user: ${file}, uid ${stats.uid}`, "Use a file of your own.");
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
    throw unsafe(`the env file is open to others: ${file} has mode ${mode}`, `chmod 600 ${file}`);
  }
}

function unsafe(message: string, hint: string): LockkeeperError {
  return new LockkeeperError("UNSAFE_PATH", message, { hint });
}
