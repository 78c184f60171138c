/** Finds and reads the file of a set. Its commands run as the user who applies it, so others must not be able to write it. */
import { LockkeeperError } from "@lockkeeper/core";
import {
  belongsToAnother,
  fileError,
  shellCommand,
  shellQuote,
  unsafePath,
  writtenByOthers,
} from "@lockkeeper/core/internal";
import * as fs from "node:fs";
import path from "node:path";

/** The default name of the file. */
const SET_FILE_NAME = "lockkeeper.json";

/** Enough for thousands of profiles. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The file as read. */
export interface SetText {
  /** Real and absolute. */
  readonly file: string;
  readonly text: string;
}

/**
 * Returns the file's text.
 *
 * @param named a path, as it was typed or absolute.
 * @throws {LockkeeperError} OPTION_INVALID when it is missing or not a file; UNSAFE_PATH when it is a link, another user's, or
 * writable by everyone; CONFIG_DAMAGED when it is not text or too long.
 */
export function readSetFile(named: string): SetText {
  const asked = path.resolve(named);
  try {
    const stats = fs.lstatSync(asked, { throwIfNoEntry: false });
    if (stats === undefined) {
      throw new LockkeeperError("OPTION_INVALID", `no such file: ${asked}`, {
        hint: `Write one from what exists: lockkeeper export --all --format json >${shellQuote(path.basename(asked) === SET_FILE_NAME ? SET_FILE_NAME : asked)}`,
      });
    }
    if (stats.isSymbolicLink()) throw leadsElsewhere(asked);
    if (!stats.isFile()) {
      throw new LockkeeperError("OPTION_INVALID", `not a file: ${asked}`, {
        hint: stats.isDirectory()
          ? `Name the file: ${shellCommand("lockkeeper", "plan", "-f", path.join(asked, SET_FILE_NAME))}`
          : "Name a plain file.",
      });
    }
    const file = fs.realpathSync(asked);
    const fd = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0));
    try {
      const opened = fs.fstatSync(fd);
      refuseStrangers(opened, file);
      if (opened.size > MAX_BYTES) throw damaged(`${file}: longer than ${MAX_BYTES} bytes`);
      const bytes = fs.readFileSync(fd);
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      return { file, text };
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if (error instanceof TypeError) throw damaged(`${asked}: not UTF-8`);
    throw fileError(error, "read the set", asked);
  }
}

function leadsElsewhere(link: string): LockkeeperError {
  const target = path.resolve(path.dirname(link), fs.readlinkSync(link));
  const hint = `If you mean that file, name it: ${shellCommand("lockkeeper", "plan", "-f", target)}`;
  return unsafePath(link, `is a symbolic link to ${target}`, hint);
}

function refuseStrangers({ uid, mode }: fs.Stats, file: string): void {
  const self = process.geteuid?.();
  if (self !== undefined && uid !== self && uid !== 0) {
    const hint = `Take a copy that is yours, and look at it first: ${shellCommand("cp", file, SET_FILE_NAME)}`;
    throw unsafePath(file, belongsToAnother({ uid }), hint);
  }
  if ((mode & 0o002) === 0 || process.platform === "win32") return;
  const hint = `Look at it, then close it: ${shellCommand("chmod", "o-w", file)}`;
  throw unsafePath(file, writtenByOthers({ mode }), hint);
}

function damaged(message: string): LockkeeperError {
  return new LockkeeperError("CONFIG_DAMAGED", message, { hint: "A set is JSON with comments." });
}
