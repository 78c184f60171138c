/**
 * Makes a running keeper stop its gateway: by a request and a signal, by a second signal after the deadline, and at last by SIGKILL
 * for a keeper that reacts to neither.
 */
import type { ProcessIdentity, RunRecord } from "@lockkeeper/core";
import {
  ancestorsOf,
  judgeProcess,
  mayBeSignalled,
  SAME_REQUEST_MS,
  signalProcess,
  writeStopRequest,
} from "@lockkeeper/core/internal";
import type { RunBond } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { pause } from "../interruptible.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { stopRequestPath } from "../profile-paths.ts";
import { observeManifest } from "../status/observe-profile.ts";
import { stopOwnRun } from "./own-runs.ts";
import { unverified } from "./run-bond.ts";

/** A keeper, and the time for its gateway. */
export interface KeeperStop {
  readonly manifest: Manifest;
  readonly record: RunRecord;
  readonly keeper: ProcessIdentity;
  readonly bond: RunBond;
  /** From the request until the gateway is killed. */
  readonly timeoutMs: number;
}

/** What the caller of a stop asks for. */
export interface StopWish {
  /** From the request to SIGKILL. @default the profile's own */
  readonly timeoutMs?: number | undefined;
  /** Aborted: stops waiting; the request goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Called with one line of progress at a time. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What a keeper needs beyond the gateway's own deadline: to kill, verify and publish. */
const KEEPER_GRACE_MS = 5_000;
/** The pause between two looks at a keeper that ends: a fifth of the wait so far, within these bounds. */
const POLL = { fastestMs: 5, slowestMs: 20, share: 5 };
const PROGRESS_EVERY_MS = 5_000;

/**
 * Asks the keeper once politely and once, after the deadline, with force. `ended`: the keeper has ended, or at least its run, when
 * its process goes on for another reason. `killed`: it reacted to neither and was killed, so its gateway may still live.
 *
 * @throws {LockkeeperError} RECORD_UNVERIFIED when it may be a stranger; nothing was signalled. ABORTED when `signal` aborts: the
 * request goes on.
 */
export async function stopKeeper(
  context: ProfilesContext,
  { manifest, record, keeper, bond, timeoutMs }: KeeperStop,
  { signal, onProgress, timeoutMs: asked }: StopWish,
): Promise<"ended" | "killed"> {
  const grounds = mayBeSignalled(keeper, bond);
  if (grounds === "gone") return "ended";
  if (grounds === "no") throw unverified(manifest.name, "keeper", keeper);
  // A keeper of an older release knows only its own deadline; a second signal shortens it, and nothing extends it.
  const readsRequests = record.stopTimeoutMs !== undefined;
  const { nonce, stays = false, supervised = false } = record;
  const place = stopRequestPath(context.home, manifest.name);
  if (readsRequests && asked !== undefined) await writeStopRequest(place, { nonce, timeoutMs: asked });
  // A signal alone would come from its container engine, and then it would not stay; or from a stranger, and then its manager
  // would start it again.
  else if ((stays || supervised) && record.state !== "stopping") await writeStopRequest(place, { nonce });
  if (keeper.pid === process.pid) {
    await stopOwnRun(context.home, manifest.name);
    return "ended";
  }
  // The process may live on after the run: when it embeds its keeper, is the first of its container, or still calls a hook.
  const mayStay =
    stays || keeper.pid === 1 || manifest.hooks !== undefined || ancestorsOf(process.pid).includes(keeper.pid);
  const isOver = (): boolean => judgeProcess(keeper) === "gone" || (mayStay && isRunOver(context, manifest));
  const { stopNote } = kinds[manifest.kind];
  const note = stopNote === undefined ? "" : ` (${stopNote})`;
  const over = async (waitMs: number): Promise<boolean> => {
    const startedAt = performance.now();
    let sayAt = startedAt + PROGRESS_EVERY_MS;
    while (!isOver()) {
      const now = performance.now();
      if (now >= startedAt + waitMs) return false;
      if (now >= sayAt) {
        sayAt += PROGRESS_EVERY_MS;
        onProgress?.(
          `stopping: ${Math.round((now - startedAt) / 1_000)} s of ${Math.round(timeoutMs / 1_000)} s${note}`,
        );
      }
      await pause(Math.min(POLL.slowestMs, Math.max(POLL.fastestMs, (now - startedAt) / POLL.share)), signal);
    }
    return true;
  };
  const tell = (name: NodeJS.Signals): boolean => signalProcess(keeper, name, { holdsLock: true }) !== "refused";
  // The keeper kills at the deadline by itself and needs some time to verify that. A keeper that does not is forced by a
  // second signal; sent too early, that signal would count as the first.
  const patienceMs = readsRequests ? timeoutMs + KEEPER_GRACE_MS : Math.max(timeoutMs, SAME_REQUEST_MS);
  // It was asked before: a second signal would mean "now, whatever is lost".
  let asksFirst = !(readsRequests && record.state === "stopping");
  for (const waitMs of [patienceMs, KEEPER_GRACE_MS]) {
    if (asksFirst && !tell("SIGTERM")) throw unverified(manifest.name, "keeper", keeper);
    asksFirst = true;
    // A paused keeper sees the request only when it runs again.
    tell("SIGCONT");
    if (await over(waitMs)) return "ended";
  }
  // It neither stopped nor reacted to force: kill it, and stop its gateway like any orphan.
  tell("SIGKILL");
  await over(KEEPER_GRACE_MS);
  return "killed";
}

/** Nobody owns the profile any more, or an orphan does: its keeper has released it. */
function isRunOver(context: ProfilesContext, manifest: Manifest): boolean {
  const { owner, keeper } = observeManifest(context, manifest).observed;
  return keeper === null && owner !== "unclear";
}
