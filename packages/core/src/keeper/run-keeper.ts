/**
 * A keeper in the foreground, from its beginning to its end: it takes the profile's lock, deals with the remains of an earlier run,
 * keeps its own run (`keeper.ts`), and releases the lock last. Nothing is started or published without the lock.
 */
import type { GatewayLock } from "../lock/gateway-lock.ts";
import { findOrphan, keepOrphan } from "./adopt-orphan.ts";
import { clearEarlierRun } from "./earlier-run.ts";
import type { LeftInControl, OrphanFound } from "./handoff.ts";
import { handoffDeadline, takeLock } from "./handoff.ts";
import { Keeper } from "./keeper.ts";
import type { KeeperOutcome, KeeperSpec } from "./keeper-spec.ts";

/**
 * Runs the gateway until it is stopped, given up, or left to another owner. On return no process of the run is left and the
 * lock is free, unless `detail` says otherwise.
 *
 * @throws {GatewayLockError} LOCK_HELD when another keeper or gateway owns the profile; nothing was published then.
 * @throws {LockkeeperError} UNSAFE_PATH and file errors for the lock, the log or their directories; the errors of `confirm`;
 * nothing was started.
 */
export async function runKeeper(spec: KeeperSpec): Promise<KeeperOutcome> {
  if (spec.hooks === undefined) return keep(spec);
  const { withHooks } = await import("./hooked-run.ts");
  return withHooks(spec, spec.hooks, keep);
}

/** The lock comes first and goes last. */
async function keep(spec: KeeperSpec): Promise<KeeperOutcome> {
  const deadline = handoffDeadline(spec);
  const reclaimed: string[] = [];
  let lock: GatewayLock | LeftInControl | OrphanFound;
  try {
    lock = await takeLock(spec, deadline, (reason) => reclaimed.push(reason));
    // An orphan that ended by itself has released the lock, so this is now an ordinary start.
    while ("orphan" in lock) {
      const outcome = await keepOrphan(spec, lock.orphan);
      if (outcome !== "ended") return outcome;
      lock = await takeLock(spec, deadline, (reason) => reclaimed.push(reason));
    }
  } catch (error) {
    if (!spec.stop.aborted) throw error;
    return { outcome: "stopped", record: null, detail: "stopped while waiting for the lock" };
  }
  if ("leftTo" in lock) return { outcome: "left-in-control", record: null, detail: lock.leftTo };
  try {
    await spec.confirm?.();
    // It has closed the lock's descriptor, and so we have the lock.
    const orphan = spec.supervised ? findOrphan(spec) : undefined;
    if (orphan !== undefined) {
      lock.update({ gateway: orphan.gateway });
      const outcome = await keepOrphan(spec, orphan);
      if (outcome !== "ended") return outcome;
      lock.update({ gateway: null });
    }
    const keeper = new Keeper(spec, lock);
    await clearEarlierRun(spec, keeper.earlier);
    return await keeper.run(reclaimed, deadline);
  } finally {
    await lock.release();
  }
}
