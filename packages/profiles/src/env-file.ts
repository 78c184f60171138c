/**
 * A profile's env file: secrets that are read at each start and kept nowhere else. Whoever can write it controls the gateway,
 * and whoever can read it knows its secrets, so a file that others can touch is refused. Nothing is expanded: the gateway gets
 * exactly the values in the file.
 */
import { LockkeeperError } from "@lockkeeper/core";
import {
  belongsToAnother,
  bitsOfOthers,
  errnoOf,
  fileError,
  openToOthers,
  shellCommand,
  unsafePath,
} from "@lockkeeper/core/internal";
import { isUtf8 } from "node:buffer";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

/** More than any environment: Linux passes at most this much to a program in one string, and a few MiB in all. */
const MAX_BYTES = 128 * 1024;

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
    return parseEnvFile(decode(await handle.readFile(), file), file);
  } catch (error) {
    throw fileError(error, "read the env file", file);
  } finally {
    await handle.close();
  }
}

/**
 * Returns the values of `NAME=value` lines; the last of two equal names wins. `export` may stand before the name, one pair of
 * quotes around the value is taken off, `#` begins a comment at the start of a line or after a blank outside of
 * quotes, and a byte order mark is passed over. In double quotes a backslash takes `"`, `\\`, `$` and a backtick out of their
 * meaning, as for `sh` and systemd. Pure; `file` is for the message.
 *
 * @throws {LockkeeperError} OPTION_INVALID naming file, line and cause, never the text, which may be a secret.
 */
export function parseEnvFile(text: string, file: string): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    if (/^[ \t]*(?:#|$)/.test(line)) continue;
    const read = readLine(line);
    if (typeof read === "string") {
      throw new LockkeeperError("OPTION_INVALID", `not a NAME=value line: ${file}, line ${index + 1}: ${read}`, {
        hint: "Each line is NAME=value; a value with blanks or # may stand in quotes.",
      });
    }
    values.set(read.name, read.value);
  }
  return Object.fromEntries(values);
}

/** Returns name and value, or the fault of the line. */
function readLine(line: string): { readonly name: string; readonly value: string } | string {
  const assignment = line.replace(/^export[ \t]+/, "");
  if (/^[ \t]/.test(line)) return "there is a blank before the name";
  const equals = assignment.indexOf("=");
  if (equals === -1) return assignment === line ? "there is no =" : "export stands alone, without a value";
  const name = assignment.slice(0, equals);
  if (/[ \t]$/.test(name)) return "there is a blank before the =";
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return "the name is not letters, digits and underscores";
  const value = readValue(assignment.slice(equals + 1));
  return "fault" in value ? value.fault : { name, value: value.text };
}

function readValue(raw: string): { readonly text: string } | { readonly fault: string } {
  if (raw.includes("\0")) return { fault: "there is a zero byte in the value" };
  const quote = raw.charAt(0);
  if (quote !== '"' && quote !== "'") {
    const comment = raw.search(/[ \t]#/);
    const text = trimBlanks(comment === -1 ? raw : raw.slice(0, comment));
    return /^[ \t]/.test(text) ? { fault: "there is a blank after the =" } : { text };
  }
  const inQuotes = quote === '"' ? /^"((?:[^"\\]|\\.)*)"(.*)/s : /^'([^']*)'(.*)/s;
  const [whole, inner = "", behind = ""] = inQuotes.exec(raw) ?? [];
  if (whole === undefined) return { fault: "the quote is not closed on the same line" };
  if (!/^[ \t]*(?:[ \t]#.*)?$/s.test(behind)) return { fault: "there is text behind the closing quote" };
  return { text: quote === '"' ? inner.replaceAll(/\\(["\\$`])/g, "$1") : inner };
}

/** Returns the text without the blanks at its end. A loop, because a regular expression would take the square of their number. */
function trimBlanks(text: string): string {
  let end = text.length;
  while (text[end - 1] === " " || text[end - 1] === "\t") end -= 1;
  return text.slice(0, end);
}

function decode(bytes: Buffer, file: string): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw new LockkeeperError("OPTION_INVALID", `the env file is not UTF-8 text: ${file}`, {
    hint: "Save it as UTF-8; other encodings would change the values.",
  });
}

async function openEnvFile(file: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK a FIFO at this path would block the start until a process writes to it.
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw fileError(error, "read the env file", file);
    throw new LockkeeperError("OPTION_INVALID", `the env file is missing: ${file}`, {
      cause: error,
      hint: "Put it back with mode 0600; it is read at each start.",
    });
  }
}

/** Checks the opened file, not the path, so that the checked file is the one that is read. */
async function requirePrivate(handle: FileHandle, file: string): Promise<void> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw unsafePath(file, "is not a plain file", "Name a plain file.");
  if (stats.size > MAX_BYTES) {
    throw unsafePath(file, `is too large (${stats.size} bytes)`, `At most ${MAX_BYTES} bytes are read.`);
  }
  // Windows keeps no such modes; there the folder's access list decides. Untested.
  if (process.platform === "win32") return;
  if (stats.uid !== process.geteuid?.() && stats.uid !== 0) {
    throw unsafePath(file, belongsToAnother(stats), "Use an env file of your own.");
  }
  if (bitsOfOthers(stats, file) !== 0) {
    throw unsafePath(file, openToOthers(stats), `Close it: ${shellCommand("chmod", "600", file)}`);
  }
}
