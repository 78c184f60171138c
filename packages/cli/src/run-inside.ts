/** Runs the caller's program inside a profile, on the caller's terminal, and returns its exit status. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { LockkeeperError } from "@lockkeeper/core";
import { errnoOf } from "@lockkeeper/core/internal";
import type { ErrorCode } from "@lockkeeper/core";
import type { Result } from "./command-module.ts";
import type { Context } from "./context.ts";

/**
 * Returns the program's exit status, 128 + n when signal n ended it. Signals from a terminal reach the program by themselves;
 * signals sent only to us are passed on.
 *
 * @throws {LockkeeperError} COMMAND_NOT_FOUND, PERMISSION_DENIED.
 */
export async function runInside(
  { world }: Context,
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const [program, ...rest] = argv;
  const { stop, force } = world.interruption();
  const child = spawn(program, rest, { env, stdio: "inherit", shell: false });
  stop.addEventListener("abort", () => void child.kill("SIGTERM"), { once: true });
  force.addEventListener("abort", () => void child.kill("SIGKILL"), { once: true });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(launchError(error, program, env["PATH"])));
    child.once("close", (status, signal) => resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function launchError(error: Error, program: string, searched: string | undefined): Error {
  const errno = errnoOf(error);
  const details = { cause: error, hint: `PATH is ${searched ?? "not set"}` };
  if (errno === "ENOENT") return new LockkeeperError("COMMAND_NOT_FOUND", `command not found: ${program}`, details);
  if (errno === "EACCES") return new LockkeeperError("PERMISSION_DENIED", `not executable: ${program}`, details);
  return error;
}

/**
 * Returns the exit status of a command that runs the caller's program: the program's own or, as in shells, 127 for a missing
 * program and 126 for one that cannot be run.
 */
export async function resultInside(...given: Parameters<typeof runInside>): Promise<Result> {
  try {
    return { value: undefined, status: await runInside(...given) };
  } catch (error) {
    const status = error instanceof LockkeeperError ? SHELL_STATUSES[error.code] : undefined;
    if (status === undefined) throw error;
    return { value: undefined, status, failures: [{ name: null, error }] };
  }
}

/** Source: POSIX.1-2024, XCU 2.8.2, exit status for commands. */
const SHELL_STATUSES: Readonly<Partial<Record<ErrorCode, number>>> = { COMMAND_NOT_FOUND: 127, PERMISSION_DENIED: 126 };
