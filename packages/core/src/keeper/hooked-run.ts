/**
 * A run with hooks. The hooks hear every published state and nothing else, and the result of each message goes into the
 * history. Loaded only for a profile with hooks, at the start of its run.
 */
import { existsSync } from "node:fs";

import { isForeseen } from "../errors.ts";
import type { HookPlan } from "../hooks/hook-caller.ts";
import { HookCaller } from "../hooks/hook-caller.ts";
import { appendHistory, formatHistoryEvent } from "./history.ts";
import type { KeeperOutcome, KeeperSpec } from "./keeper-spec.ts";
import type { RunRecord } from "./run-record.ts";

/** Keeps the run as `keep` does. The outcome comes as early as without hooks, with a promise for the end of their calls. */
export async function withHooks(
  spec: KeeperSpec,
  plan: HookPlan,
  keep: (spec: KeeperSpec) => Promise<KeeperOutcome>,
): Promise<KeeperOutcome> {
  let last: RunRecord | undefined;
  const hooks = new HookCaller({
    ...plan,
    profile: spec.profile,
    home: spec.home ?? null,
    remark: (fact) => last !== undefined && noteInHistory(spec.eventsPath, last, fact),
    force: spec.force,
  });
  const report = (record: RunRecord): void => {
    last = record;
    spec.report?.(record);
    hooks.report(record);
  };
  try {
    const outcome = await keep({ ...spec, report });
    return { ...outcome, told: hooks.close() };
  } catch (error) {
    await hooks.close();
    throw error;
  }
}

/** After the run its profile may have moved away: then no new history is created. */
function noteInHistory(eventsPath: string, record: RunRecord, fact: string): void {
  if (!existsSync(eventsPath)) return;
  const { state, code, gateway, restarts } = record;
  const at = new Date().toISOString();
  const pid = gateway?.pid ?? null;
  const told = {
    at,
    state,
    reason: fact,
    code,
    pid,
    keeperPid: process.pid,
    restarts,
    exit: null,
    note: true,
  } as const;
  const line = formatHistoryEvent(told);
  try {
    appendHistory(eventsPath, line);
  } catch (error) {
    // A disk that refuses must not end a run.
    if (!isForeseen(error)) throw error;
  }
}
