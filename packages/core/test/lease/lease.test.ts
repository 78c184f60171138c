import { describe, expect, test } from "vitest";

import { until } from "../../../../test/harness/until.ts";
import type { LeaseSettings } from "../../src/lease/lease-settings.ts";
import { leaseTimes } from "../../src/lease/lease-deadline.ts";
import type { HeldKey, LeaseClaim, LeaseHolder, LeaseStore } from "../../src/lease/lease-store.ts";
import { LeaseUnavailableError } from "../../src/lease/lease-store.ts";
import type { LeaseClaimant } from "../../src/lease/lease.ts";
import { Lease, takeLease } from "../../src/lease/lease.ts";

const SETTINGS: LeaseSettings = {
  engine: "etcd",
  endpoints: ["http://h1:2379"],
  key: "k",
  ttlSeconds: 30,
  standby: true,
};
const never = new AbortController().signal;

/** The claimants' clock. It stands still while this process does: a busy machine costs no lease. */
let nowMs = 0;

/** Waits, and lets that clock go on. */
function soon(what: string, isSo: () => boolean): Promise<void> {
  return until(what, () => {
    nowMs += 20;
    return isSo();
  });
}

/** An engine in memory that fails, forgets and loses answers when the test says so. */
class PlannedStore implements LeaseStore {
  held: HeldKey | undefined;
  isSilent = false;
  isForgetful = false;
  losesClaims = 0;
  renewals = 0;
  released: string[] = [];
  #revision = 0;
  #leases = 0;

  async grant(): Promise<string> {
    this.#answer();
    return String(++this.#leases);
  }

  async claim(_key: string, holder: LeaseHolder, leaseId: string, over?: string): Promise<LeaseClaim> {
    this.#answer();
    if (this.held === undefined || this.held.revision === over) {
      this.held = { holder, leaseId, revision: String(++this.#revision) };
    }
    if (this.losesClaims > 0) {
      this.losesClaims -= 1;
      throw silence();
    }
    const { held } = this;
    return held.leaseId === leaseId ? { claimed: true, token: held.revision } : { claimed: false, by: held };
  }

  async renew(): Promise<"renewed" | "gone"> {
    this.#answer();
    this.renewals += 1;
    return this.isForgetful ? "gone" : "renewed";
  }

  async release(leaseId: string): Promise<void> {
    this.#answer();
    this.released.push(leaseId);
    if (this.held?.leaseId === leaseId) this.held = undefined;
  }

  async read(): Promise<HeldKey | undefined> {
    this.#answer();
    return this.held;
  }

  async timeLeft(): Promise<number | undefined> {
    return undefined;
  }

  #answer(): void {
    if (this.isSilent) throw silence();
  }
}

function silence(): LeaseUnavailableError {
  return new LeaseUnavailableError("silent", "no endpoint answers", [], "Try it again.");
}

function claimantOf(store: LeaseStore, changes: Partial<LeaseHolder> = {}, ttlSeconds = 1): LeaseClaimant {
  const holder: LeaseHolder = {
    host: "a",
    profile: "dev",
    pid: 1,
    nonce: "n",
    since: "2026-01-01T00:00:00.000Z",
    bootId: "boot",
    lockId: "1:2",
    ...changes,
  };
  return { store, settings: SETTINGS, times: leaseTimes(ttlSeconds), holder, now: () => nowMs };
}

async function take(claimant: LeaseClaimant): Promise<Lease> {
  const lease = await takeLease(claimant, never);
  if (!(lease instanceof Lease)) throw new Error("somebody else has it");
  return lease;
}

describe("a lease", () => {
  test("is renewed while it is ours, and each renewal moves its deadline", async () => {
    const store = new PlannedStore();
    const lease = await take(claimantOf(store));
    const first = lease.endsAtMs;
    await soon("renewed twice", () => store.renewals >= 2);
    expect(lease.endsAtMs).toBeGreaterThan(first);
    expect(lease.lost.aborted).toBe(false);
    expect(await lease.release()).toBe(true);
    const { renewals } = store;
    expect(store.held).toBeUndefined();
    expect(await lease.release()).toBe(true);
    expect(store.renewals).toBe(renewals);
  });

  test("is refused by an owner elsewhere, and taken at once from a dead owner in our own lock directory", async () => {
    const store = new PlannedStore();
    const lease = await take(claimantOf(store));
    for (const changes of [{ bootId: "other" }, { lockId: "1:3" }, { bootId: null }, { lockId: null }]) {
      expect(await takeLease(claimantOf(store, changes), never)).toMatchObject({ holder: { nonce: "n" } });
    }
    const next = await take(claimantOf(store, { nonce: "m" }));
    expect(BigInt(next.token)).toBeGreaterThan(BigInt(lease.token));
    await lease.release();
    await next.release();
  });

  test("is first in doubt and then over when nothing answers, and stays over", async () => {
    const store = new PlannedStore();
    const lease = await take(claimantOf(store));
    const told: (string | undefined)[] = [];
    lease.listen(() => told.push(lease.trouble));
    store.isSilent = true;
    await soon("lost", () => lease.lost.aborted);
    expect(lease.over.aborted).toBe(false);
    await soon("over", () => lease.over.aborted);
    expect(told).toContain("no endpoint answers");
    store.isSilent = false;
    expect(await lease.release()).toBe(true);
    expect(lease.lost.aborted && lease.over.aborted).toBe(true);
  });

  test("continues when the engine answers again in time", async () => {
    const store = new PlannedStore();
    const lease = await take(claimantOf(store, {}, 3));
    store.isSilent = true;
    await soon("in trouble", () => lease.trouble !== undefined);
    store.isSilent = false;
    await soon("well again", () => lease.trouble === undefined);
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
  });

  test("is over at once when the engine says that it is gone", async () => {
    const store = new PlannedStore();
    const lease = await take(claimantOf(store));
    store.isForgetful = true;
    await soon("over", () => lease.over.aborted);
    expect(lease.lost.aborted).toBe(true);
    expect(lease.endsAtMs).toBe(0);
    await lease.release();
  });

  test("is over when the host slept through its time", async () => {
    const store = new PlannedStore();
    let sleptMs = 0;
    const lease = await take({ ...claimantOf(store, {}, 60), now: () => nowMs + sleptMs });
    sleptMs = 60_000;
    await soon("over", () => lease.over.aborted);
    expect(lease.isHeld).toBe(false);
    await lease.release();
  });

  test("leaves nothing behind when the answer to its claim was lost", async () => {
    const store = new PlannedStore();
    store.losesClaims = 1;
    await expect(takeLease(claimantOf(store), never)).rejects.toMatchObject({ code: "LEASE_UNAVAILABLE" });
    expect(store.held).toBeUndefined();
  });

  test("does not count when it took too long to take", async () => {
    const store = new PlannedStore();
    let slowMs = 0;
    const slow = { ...claimantOf(store), now: () => (slowMs += 700) };
    await expect(takeLease(slow, never)).rejects.toMatchObject({ code: "LEASE_UNAVAILABLE" });
    expect(store.held).toBeUndefined();
    expect(store.released).toHaveLength(3);
  });

  test("that cannot be given back is reported to run out", async () => {
    const store = new PlannedStore();
    const lease = await take(claimantOf(store));
    store.isSilent = true;
    expect(await lease.release()).toBe(false);
  });
});
