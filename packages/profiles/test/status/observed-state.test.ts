import type { ProcessIdentity, PublishedState, RunRecord } from "@lockkeeper/core";
import type { ProcessVerdict } from "@lockkeeper/core/internal";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { observeState } from "../../src/status/observed-state.ts";
import type { Evidence, LockWord, ObservedState } from "../../src/status/observed-state.ts";

const KEEPER: ProcessIdentity = { pid: 100, startTicks: 1, bootId: "b", pidNamespace: "n" };
const gateway: ProcessIdentity = { ...KEEPER, pid: 101 };
const helper: ProcessIdentity = { ...KEEPER, pid: 102 };

const record = (state: PublishedState, changes: Partial<RunRecord> = {}): RunRecord => ({
  v: 1,
  profile: "dev",
  nonce: "00",
  state,
  reason: "said so",
  code: null,
  since: "2026-01-01T00:00:00.000Z",
  keeper: KEEPER,
  gateway,
  host: "127.0.0.1",
  port: 20_000,
  ports: { gateway: 20_000 },
  startedAt: null,
  health: "ok",
  restarts: 0,
  lastExit: null,
  ...changes,
});

interface Scene {
  readonly published?: RunRecord | undefined;
  readonly lock: LockWord;
  readonly keeperIs?: ProcessVerdict;
  readonly gatewayIs?: ProcessVerdict;
  readonly holder?: ProcessIdentity | null;
  readonly carries?: boolean;
  readonly paused?: boolean;
  readonly port?: "yes" | "no" | "unknown";
  readonly hasLockFile?: boolean;
}

function observe(scene: Scene): ObservedState {
  const { published, lock, keeperIs = "gone", gatewayIs = "gone", holder = null } = scene;
  const evidence: Evidence = {
    record: published,
    lock,
    hasLockFile: scene.hasLockFile ?? false,
    judge: ({ pid }) => (pid === KEEPER.pid ? keeperIs : gatewayIs),
    findHolders: () => (holder === null ? [] : [holder]),
    carriesRun: () => scene.carries ?? false,
    isPaused: () => scene.paused ?? false,
    isPortTaken: () => scene.port ?? "unknown",
  };
  return observeState(evidence);
}

/** The table of docs/lock.md. */
describe("the state of a profile", () => {
  test.each([
    // record, lock, keeper, gateway, state, owner
    ["running", "held", "alive", "alive", "running", "here"],
    ["unresponsive", "held", "alive", "alive", "unresponsive", "here"],
    ["starting", "held", "alive", "gone", "starting", "here"],
    ["running", "held", "alive", "gone", "starting", "here"],
    ["stopping", "held", "alive", "gone", "stopping", "here"],
    ["running", "held", "gone", "alive", "orphaned", "here"],
    ["running", "held", "unknown", "alive", "running", "here"],
    ["running", "held", "unknown", "unknown", "running", "elsewhere"],
    ["starting", "held", "gone", "gone", "starting", "elsewhere"],
    ["failed", "held", "gone", "gone", "failed", "unclear"],
    ["running", "free", "unknown", "unknown", "stopped", "nobody"],
    ["running", "free", "alive", "alive", "stopped", "nobody"],
    ["running", "free", "gone", "gone", "stopped", "nobody"],
    ["failed", "free", "gone", "gone", "failed", "nobody"],
    ["running", "unknown", "alive", "alive", "running", "here"],
    ["running", "unknown", "gone", "alive", "orphaned", "here"],
    ["running", "unknown", "unknown", "unknown", "running", "unclear"],
    ["running", "unknown", "gone", "gone", "stopped", "nobody"],
  ] as const)("%s, lock %s, keeper %s, gateway %s: %s, owner %s", (state, lock, keeperIs, gatewayIs, word, owner) => {
    expect(observe({ published: record(state), lock, keeperIs, gatewayIs })).toMatchObject({ state: word, owner });
  });

  test("is stopped where nothing was ever published", () => {
    expect(observe({ lock: "free" })).toMatchObject({ state: "stopped", owner: "nobody", leftover: false });
    expect(observe({ lock: "free", hasLockFile: true })).toMatchObject({ state: "stopped", leftover: true });
  });

  test("is orphaned where a visible process holds the lock and no recorded one lives: killed between spawn and publish", () => {
    const published = record("starting", { gateway: null });
    expect(observe({ published, lock: "held", holder: helper })).toMatchObject({ state: "orphaned", gateway: helper });
  });

  test("keeps a keeper whose clock makes it look like another process, since it holds the lock", () => {
    const holder = { ...KEEPER, startTicks: 9_999 };
    const seen = observe({ published: record("running"), lock: "held", holder });
    expect(seen).toMatchObject({ state: "running", keeper: holder });
  });

  test("is orphaned where the gateway has shed the lock and carries the run", () => {
    const seen = observe({ published: record("running"), lock: "free", gatewayIs: "alive", carries: true });
    expect(seen).toMatchObject({ state: "orphaned", gateway, keeper: null });
  });

  test("does not wait for the word of a keeper that is paused", () => {
    const scene = { published: record("running"), lock: "held", keeperIs: "alive" } as const;
    expect(observe({ ...scene, paused: true })).toMatchObject({ state: "unresponsive", keeper: KEEPER, gateway: null });
    expect(observe({ ...scene, paused: false })).toMatchObject({ state: "starting" });
  });

  test("looks again at what blocked it", () => {
    const published = record("blocked", { keeper: null, gateway: null });
    expect(observe({ published, lock: "free", port: "yes" }).state).toBe("blocked");
    expect(observe({ published, lock: "free", port: "unknown" }).state).toBe("blocked");
    expect(observe({ published, lock: "free", port: "no" })).toMatchObject({
      state: "stopped",
      reason: "was blocked at 2026-01-01T00:00:00.000Z; port 20000 is free now",
    });
  });

  test("has one state for any evidence, which agrees with the kernel and which some verb can leave", () => {
    const verdict = fc.constantFrom<ProcessVerdict>("alive", "gone", "unknown");
    const published = fc.constantFrom<PublishedState>(
      ...(["starting", "running", "unresponsive", "blocked", "failed", "stopping", "stopped"] as const),
    );
    const scenes = fc.record({
      published: fc.option(
        fc
          .tuple(published, fc.boolean(), fc.boolean())
          .map(([state, hasKeeper, hasGateway]) =>
            record(state, { ...(hasKeeper ? {} : { keeper: null }), ...(hasGateway ? {} : { gateway: null }) }),
          ),
        { nil: undefined },
      ),
      lock: fc.constantFrom<LockWord>("free", "held", "unknown"),
      keeperIs: verdict,
      gatewayIs: verdict,
      holder: fc.constantFrom(null, KEEPER, gateway, helper),
      carries: fc.boolean(),
      paused: fc.boolean(),
      port: fc.constantFrom("yes" as const, "no" as const, "unknown" as const),
      hasLockFile: fc.boolean(),
    });
    fc.assert(
      fc.property(scenes, (scene) => {
        const seen = observe(scene);
        expect(observe(scene)).toEqual(seen);
        if (scene.lock === "free")
          expect(["running", "starting", "stopping", "unresponsive"]).not.toContain(seen.state);
        if (scene.lock === "held") expect(seen.owner).not.toBe("nobody");
        if (seen.leftover) expect(seen).toMatchObject({ owner: "nobody", keeper: null, gateway: null });
        // No pid is told that cannot be signalled from here.
        if (seen.owner !== "here") expect(seen).toMatchObject({ keeper: null, gateway: null });
        // `stop` and `restart` act on what is here; where nobody owns it, `start` does; what is unclear, a start's own
        // attempt at the lock settles; what is elsewhere is held, and stopped there.
        if (seen.owner === "here") expect(seen.keeper ?? seen.gateway).not.toBe(null);
        if (seen.owner === "nobody") expect(["stopped", "failed", "blocked"]).toContain(seen.state);
        if (seen.owner === "elsewhere") expect(scene.lock).toBe("held");
      }),
      { numRuns: 2_000 },
    );
  });
});
