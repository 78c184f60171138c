/** Waits until profiles are in the wanted state. Starts nothing and stops nothing. */
import { setTimeout as delay } from "node:timers/promises";
import type { ProfilesContext } from "../context.ts";
import { knownProfile } from "./known-profiles.ts";
import { listProfiles } from "./list.ts";
import type { ProfileStatus } from "./profile-status.ts";

/** Options of a wait. */
export interface WaitOptions {
  /** @default "running" */
  readonly for?: "running" | "stopped" | undefined;
  /** Give up after this many milliseconds. @default 60000 */
  readonly timeoutMs?: number | undefined;
  /** Aborted: stops waiting and answers with the present state. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each profile's state when it changes. */
  readonly onProgress?: ((status: ProfileStatus) => void) | undefined;
}

/** One profile at the end of the wait. `gave-up`: it is failed or blocked, so that waiting longer is pointless. */
export interface WaitResult {
  readonly outcome: "reached" | "gave-up" | "timed-out";
  readonly status: ProfileStatus;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const LOOK_MS = 100;

/** What can be waited for. */
const GOALS: readonly NonNullable<WaitOptions["for"]>[] = ["running", "stopped"];

/**
 * Returns, in the order of `names`, how each profile's wait ended. The wait goes on for `stopped` and `standby`, because they
 * may be started soon.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND before the wait begins.
 */
export async function waitForProfiles(
  context: ProfilesContext,
  names: readonly string[],
  options: WaitOptions = {},
): Promise<readonly WaitResult[]> {
  for (const name of names) await knownProfile(context, name);
  const deadline = performance.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const { for: wanted = "running" } = options;
  if (!GOALS.includes(wanted))
    throw new TypeError(`wait: expected for to be one of ${GOALS.join(", ")}, got ${wanted}`);
  const said = new Map<string, string>();
  for (;;) {
    const listed = new Map(
      (await listProfiles(context, { probe: false, known: true })).map((status) => [status.name, status]),
    );
    // A profile that was removed meanwhile is reported as unknown.
    const statuses: ProfileStatus[] = [];
    for (const name of names) statuses.push(listed.get(name) ?? (await throwUnknown(context, name)));
    for (const status of statuses) {
      if (said.get(status.name) !== status.state) options.onProgress?.(status);
      said.set(status.name, status.state);
    }
    const verdicts = statuses.map((status) => judge(status, wanted));
    const isOver = options.signal?.aborted === true || performance.now() >= deadline;
    if (isOver || !verdicts.includes("waiting") || verdicts.includes("gave-up")) {
      return statuses.map((status, index) => {
        const verdict = verdicts[index] ?? "waiting";
        return { outcome: verdict === "waiting" ? "timed-out" : verdict, status };
      });
    }
    await delay(LOOK_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

function judge({ state, health }: ProfileStatus, wanted: "running" | "stopped"): WaitResult["outcome"] | "waiting" {
  if (wanted === "stopped") {
    return state === "stopped" || state === "failed" || state === "blocked" ? "reached" : "waiting";
  }
  if (state === "running" || (state === "external" && health !== "failing")) return "reached";
  return state === "failed" || state === "blocked" ? "gave-up" : "waiting";
}

async function throwUnknown(context: ProfilesContext, name: string): Promise<never> {
  await knownProfile(context, name);
  throw new Error(`${name} is known and not in the list`);
}
