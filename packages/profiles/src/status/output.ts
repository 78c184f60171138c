/** The output and the history of a profile's gateway, by the profile's name. */
import { followLog, readHistory, readLog } from "@lockkeeper/core";
import type { HistoryEvent, LogExcerpt, LogPosition, LogSelection } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { gatewayLogPath, historyPath } from "../profile-paths.ts";
import { knownProfile } from "./known-profiles.ts";

/** Where to begin following a log, and when to end. */
export interface FollowLogOptions {
  /** The `end` of an excerpt, so that no line is missed. @default the present end of the log */
  readonly from?: LogPosition | undefined;
  /** Ends it without an error. @default it goes on until the caller breaks */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the selected lines of the log, oldest first, unchanged: they contain secrets that a gateway prints. None when the
 * profile never ran.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function profileLog(
  context: ProfilesContext,
  name: string,
  selection: LogSelection = {},
): Promise<LogExcerpt> {
  return readLog(await logOf(context, name), selection);
}

/**
 * Yields each complete line, across restarts and rotation.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function* followProfileLog(
  context: ProfilesContext,
  name: string,
  { from, signal = new AbortController().signal }: FollowLogOptions = {},
): AsyncGenerator<string, void> {
  const output = await logOf(context, name);
  const start = from ?? (await readLog(output, { lines: 0 })).end;
  yield* followLog(output, { from: start, signal });
}

/**
 * Returns the history, oldest first: a state, its reason, and how a gateway ended. None when the profile never ran.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, UNSAFE_PATH, PERMISSION_DENIED, IO_FAILED.
 */
export async function profileHistory(context: ProfilesContext, name: string): Promise<readonly HistoryEvent[]> {
  return readHistory(historyPath((await knownProfile(context, name)).manifest.paths));
}

async function logOf(context: ProfilesContext, name: string): Promise<string> {
  return gatewayLogPath((await knownProfile(context, name)).manifest.paths);
}
