/**
 * Checks whether the system finds this program and whether we may run it, by the same search as a spawn without a shell.
 * Changes nothing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { errnoOf, shellCommand } from "@lockkeeper/core/internal";
import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import path from "node:path";

/** Where to search. */
export interface ProgramSearch {
  /** The base of relative paths. */
  readonly cwd: string;
  /** `PATH` of the child; undefined: the system's default. */
  readonly searchPath: string | undefined;
}

/** Source: execvp(3); without a PATH these are searched. */
const USUAL_PATH = "/usr/local/bin:/usr/bin:/bin";
/** Source: execve(2): Linux reads this much of a script's first line. */
const INTERPRETER_BYTES = 256;

/**
 * Returns the path of the program. Checks the interpreter of a script too.
 *
 * @throws {LockkeeperError} COMMAND_NOT_FOUND naming the program and where it was searched.
 */
export function findProgram(program: string, search: ProgramSearch): string {
  const found = locate(program, search);
  const [interpreter, argument] = interpreterOf(found);
  if (interpreter === undefined) return found;
  try {
    locate(interpreter, search);
    // `#!/usr/bin/env node`: the real program is searched on the PATH.
    if (path.basename(interpreter) === "env" && argument !== undefined && !/^-|=/.test(argument)) {
      locate(argument, search);
    }
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    throw new LockkeeperError("COMMAND_NOT_FOUND", `the interpreter of ${found} is missing: ${error.message}`, {
      cause: error,
      hint: error.hint,
    });
  }
  return found;
}

function locate(program: string, { cwd, searchPath }: ProgramSearch): string {
  if (program.includes("/") || process.platform === "win32") {
    const file = path.resolve(cwd, program);
    const fault = process.platform === "win32" ? undefined : faultOf(file);
    if (fault === undefined) return file;
    throw notFound(`command not found: ${program}: ${file} ${fault}`, searchHint(program, cwd));
  }
  const searched = searchPath ?? USUAL_PATH;
  let refused: string | undefined;
  for (const folder of searched.split(":")) {
    const file = path.resolve(cwd, folder, program);
    const fault = faultOf(file);
    if (fault === undefined) return file;
    if (fault !== MISSING) refused ??= `${file} ${fault}`;
  }
  throw notFound(
    `command not found: ${program} (${refused ?? `PATH searched: ${searched}`})`,
    searchHint(program, cwd),
  );
}

/** Returns the hint for a program that was not found from there. Changes nothing. */
export function searchHint(program: string, cwd: string): string {
  if (/\s/.test(program)) return `Write its words without quotes around all of them: -- ${program}`;
  const file = path.resolve(cwd, program);
  const fault = process.platform === "win32" ? MISSING : faultOf(file);
  if (fault === REFUSED) return `Make it executable: ${shellCommand("chmod", "+x", file)}`;
  if (program.includes("/")) return "Check the spelling, or name another program.";
  if (fault === undefined) return `A program of that folder is named by its path: -- ./${program}`;
  return "Check the PATH and the spelling; a full path always works.";
}

const REFUSED = "may not be run by this user";
const MISSING = "is not there";

function faultOf(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return "is not a file";
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return MISSING;
    return errno === "EACCES" ? REFUSED : `cannot be looked at: ${errno ?? String(error)}`;
  }
}

function interpreterOf(file: string): readonly string[] {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const start = Buffer.alloc(INTERPRETER_BYTES);
    const text = start.toString("latin1", 0, readSync(fd, start, 0, INTERPRETER_BYTES, 0));
    const [line = ""] = text.split("\n", 1);
    return line.startsWith("#!")
      ? line
          .slice(2)
          .trim()
          .split(/[ \t]+/)
      : [];
  } catch {
    // A program may be executable and not readable.
    return [];
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function notFound(message: string, hint: string): LockkeeperError {
  return new LockkeeperError("COMMAND_NOT_FOUND", message, { hint });
}
