/**
 * Tests the hooks of a profile: calls each once with its event, marked as a test. The only way to call a hook without a
 * keeper.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { describeTarget, hookMessage, shellCommand, tellHook } from "@lockkeeper/core/internal";
import type { HookEvent } from "@lockkeeper/core/internal";
import { hostname } from "node:os";
import type { ProfilesContext } from "../context.ts";
import { HOOK_EVENTS } from "../manifest.ts";
import { requireManifest } from "../registry/registry.ts";
import { runHooks } from "./run-hooks.ts";

/** The result of one test. */
export interface HookTrial {
  readonly event: HookEvent;
  /** Only scheme and host of a URL. */
  readonly target: string;
  readonly outcome: "told" | "failed";
  readonly detail: string;
  readonly attempts: number;
  readonly tookMs: number;
}

/**
 * Returns the result of each test, in the order of the events; all run at once.
 *
 * @throws {LockkeeperError} OPTION_INVALID when the profile has no hooks; PROFILE_NOT_FOUND and the errors of the registry.
 */
export async function testHooks(
  context: ProfilesContext,
  name: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly HookTrial[]> {
  const manifest = requireManifest(context.home, name);
  const { targets, env } = await runHooks(context, manifest);
  const events = HOOK_EVENTS.filter((event) => targets[event] !== undefined);
  if (events.length === 0) {
    throw new LockkeeperError("OPTION_INVALID", `${name} has no hooks`, {
      hint: shellCommand("lockkeeper", "edit", name, "--hook", "failed=/path/to/program"),
    });
  }
  const place = { profile: name, home: context.home, host: hostname() };
  return Promise.all(
    events.map(async (event): Promise<HookTrial> => {
      const target = targets[event] ?? { kind: "unusable" as const, shown: "-", fault: "there is none" };
      const at = new Date().toISOString();
      const subject = { state: stateOf(event), reason: "a test of this hook", since: at, restarts: 0, lastExit: null };
      const message = { ...hookMessage(event, place, undefined, subject), test: true as const };
      const from = performance.now();
      const { told, detail, attempts } = await tellHook(target, message, env, signal);
      const tookMs = Math.round(performance.now() - from);
      return { event, target: describeTarget(target), outcome: told ? "told" : "failed", detail, attempts, tookMs };
    }),
  );
}

/** The state of a run at the event. */
function stateOf(event: HookEvent): string {
  return event === "recovered" || event === "ready" ? "running" : event;
}
