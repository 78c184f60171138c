/** Turns an unexpected system error, which is not a bug of ours, into an error with path, errno and exit status. Pure. */
import { LockkeeperError } from "@lockkeeper/core";
import { errnoOf, fileError } from "@lockkeeper/core/internal";

/** Returns `error`, or for an unexpected system error the error with path, errno and exit status. */
export function documented(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof LockkeeperError || errnoOf(error) === undefined) return error;
  if (!("syscall" in error) || typeof error.syscall !== "string") return error;
  const path = "path" in error && typeof error.path === "string" ? error.path : "a file or socket";
  return fileError(error, `${error.syscall}, as the system refused it`, path);
}
