/**
 * Processes that outlived their run: helpers, or a successor that has closed the lock. They are ended only while we hold the
 * profile's lock, so that no living run of the profile, in any container, loses a process.
 */
import { findRunProcesses, listVisibleRuns, stopProcessTree, tellApart } from "@lockkeeper/core/internal";
import type { LockkeeperError, RunRecord } from "@lockkeeper/core";
import type { StopResult } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { ifUnowned } from "../status/leftover.ts";
import { readRunRecords } from "../status/run-records.ts";
import { belongsToRun } from "./inside-run.ts";
import { sparingOf } from "./sparing.ts";

/** Strays get this long to end by themselves. */
export const STRAY_TIMEOUT_MS = 2_000;

/** The ended runs of a home, and which of them still have visible processes, by one walk over the host's processes. */
interface StrayIndex {
  readonly ended: ReadonlySet<string>;
  readonly visible: ReadonlySet<string>;
}

/** Stays true while it lives: only a process of a run starts another one of that run. */
const indexes = new WeakMap<ProfilesContext, StrayIndex>();

/**
 * Ends the strays of the ended run of `record`. `none`: there were none, or we are one of them ourselves, such as a shell inside
 * the old run. `owned`: there are some, but the profile has an owner, so nothing was signalled.
 *
 * @param refuse makes the error for strays that do not end.
 */
export async function endStrays(
  context: ProfilesContext,
  manifest: Manifest,
  record: RunRecord,
  refuse: (result: StopResult) => LockkeeperError,
): Promise<"ended" | "none" | "owned"> {
  const { home } = context;
  if (!mayHaveStrays(context, record) || belongsToRun(context, record)) return "none";
  const strays = { leader: null, nonce: record.nonce, profile: manifest.name, home };
  // A process that an earlier end spared is not a stray and is spared again.
  const sparing = sparingOf(manifest, record);
  if (tellApart(findRunProcesses(strays), sparing).own.length === 0) return "none";
  const ended = await ifUnowned(home, manifest, async () => {
    const result = await stopProcessTree({
      ...strays,
      sparing,
      host: record.host,
      ports: [],
      timeoutMs: STRAY_TIMEOUT_MS,
    });
    if (result.outcome !== "stopped") throw refuse(result);
  });
  return ended === "owned" ? "owned" : "ended";
}

function mayHaveStrays(context: ProfilesContext, { nonce }: RunRecord): boolean {
  let index = indexes.get(context);
  if (index === undefined || !index.ended.has(nonce)) {
    // Records are read first: a run that ended before the walk cannot come back after it.
    const records = [...readRunRecords(context.home).values()];
    const ended = new Set(records.filter(({ keeper }) => keeper === null).map((each) => each.nonce));
    index = { ended, visible: listVisibleRuns() };
    indexes.set(context, index);
  }
  return !index.ended.has(nonce) || index.visible.has(nonce);
}
