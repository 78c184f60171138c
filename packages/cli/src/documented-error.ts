/** Turns an unexpected system error, which is not a bug of ours, into an error with path, errno and exit status. Pure. */
import path from "node:path";
import { LockkeeperError } from "@lockkeeper/core";
import { errnoOf, fileError } from "@lockkeeper/core/internal";

/** Where this file lies, and with it every file of the program that is loaded later. */
const PROGRAM = import.meta.dirname;

/** Returns `error`, or for an unexpected system error the error with path, errno and exit status. */
export function documented(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof LockkeeperError || errnoOf(error) === undefined) return error;
  if (!("syscall" in error) || typeof error.syscall !== "string") return error;
  const file = "path" in error && typeof error.path === "string" ? error.path : "a file or socket";
  if (errnoOf(error) !== "ENOENT" || path.dirname(file) !== PROGRAM) {
    return fileError(error, `${error.syscall}, as the system refused it`, file);
  }
  return new LockkeeperError("IO_FAILED", `a file of this program is gone (ENOENT): ${file}`, {
    cause: error,
    hint: "Lockkeeper was upgraded or removed while this command ran. Run it again; if that fails too, install it again.",
  });
}
