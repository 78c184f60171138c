import type { ProcessIdentity, PublishedState, RunRecord } from "@lockkeeper/core";
import type { ProcessVerdict } from "@lockkeeper/core/internal";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isServing, observeAtRest, observeKept, observeState } from "../../src/status/observed-state.ts";
import type { Evidence, LockWord, ObservedState } from "../../src/status/observed-state.ts";

const KEEPER: ProcessIdentity = { pid: 100, startTicks: 1, bootId: "b", pidNamespace: "n" };
const gateway: ProcessIdentity = { ...KEEPER, pid: 101 };
const helper: ProcessIdentity = { ...KEEPER, pid: 102 };
const server: ProcessIdentity = { ...KEEPER, pid: 103 };

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
  readonly otherHolders?: readonly ProcessIdentity[];
  readonly carries?: boolean;
  readonly paused?: boolean;
  readonly hidden?: boolean;
  readonly displaced?: boolean;
  readonly port?: "yes" | "no" | "moved" | "unknown";
  readonly hasLockFile?: boolean;
  readonly heldByCommand?: boolean;
  readonly server?: ProcessIdentity | null;
}

function observe(scene: Scene): ObservedState {
  const { published, lock, keeperIs = "gone", gatewayIs = "gone", holder = null } = scene;
  const evidence: Evidence = {
    record: published,
    lock,
    isHeldByCommand: lock === "held" && (scene.heldByCommand ?? false),
    hasLockFile: scene.hasLockFile ?? false,
    judge: ({ pid }) => (pid === KEEPER.pid ? keeperIs : gatewayIs),
    findHolders: () => [...(holder === null ? [] : [holder]), ...(scene.otherHolders ?? [])],
    carriesRun: () => scene.carries ?? false,
    findServer: () => scene.server ?? null,
    holdsDisplaced: () => scene.displaced ?? false,
    isHidden: () => scene.hidden ?? false,
    isPaused: () => scene.paused ?? false,
    isPortTaken: () => scene.port ?? "unknown",
  };
  return observeState(evidence);
}

/** Every process that is shown has a ground in the evidence, and no ground is left unused. */
function expectGrounds(scene: Required<Scene>, seen: ObservedState): void {
  const { published, lock, heldByCommand, keeperIs, gatewayIs, holder, carries, displaced } = scene;
  const isOver = published === undefined || ["stopped", "failed", "blocked"].includes(published.state);
  const isGatewayAlive = published !== undefined && published.gateway !== null && gatewayIs === "alive";
  const keeper = published === undefined || published.keeper === null ? "gone" : keeperIs;
  const child = isOver ? null : scene.server;
  if (lock === "free" || (lock === "held" && heldByCommand)) {
    // The lock in its place shows no owner: another that was moved away does, or the environment.
    const isKept = displaced && !isOver && keeper === "alive";
    expect(seen.keeper).toEqual(isKept ? KEEPER : null);
    if (isKept) return;
    const orphan = isGatewayAlive && carries ? gateway : child;
    expect(seen.state === "orphaned" ? seen.gateway : null).toEqual(orphan);
  } else if (lock === "held" && !isOver && isGatewayAlive) {
    expect(seen.state === "orphaned").toBe(keeper === "gone");
    const isIts = carries || holder === null || holder.pid === gateway.pid;
    if (keeper === "gone") expect(seen.gateway).toEqual(isIts ? gateway : holder);
  } else if (lock === "unknown" && !isOver && keeper === "gone" && gatewayIs === "gone") {
    expect(seen.gateway).toEqual(child);
  }
  const isKeeperKnown = keeper === "alive" || holder?.pid === KEEPER.pid || (keeper === "unknown" && isGatewayAlive);
  if (seen.keeper !== null) expect(isKeeperKnown).toBe(true);
  if (seen.state === "blocked" && seen.owner === "nobody") expect(["yes", "unknown"]).toContain(scene.port);
}

/** The table of docs/lock.md. */
describe("the state of a profile", () => {
  test.each([
    // Columns: record, lock, keeper, gateway, state, owner.
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

  test("accepts a keeper whose clock makes it look like another process, since it holds the lock", () => {
    const holder = { ...KEEPER, startTicks: 9_999 };
    const seen = observe({ published: record("running"), lock: "held", holder });
    expect(seen).toMatchObject({ state: "running", keeper: holder });
  });

  test("is orphaned where the gateway has dropped the lock and carries the run's nonce", () => {
    const seen = observe({ published: record("running"), lock: "free", gatewayIs: "alive", carries: true });
    expect(seen).toMatchObject({ state: "orphaned", gateway, keeper: null });
  });

  test("is kept where somebody has replaced the lock file under a living keeper", () => {
    const displaced = { published: record("running", { reason: null }), lock: "free", displaced: true } as const;
    const reason = "its lock file was moved away or replaced, and its keeper has not yet put it back";
    const kept = { state: "running", reason, owner: "here", keeper: KEEPER } as const;
    expect(observe({ ...displaced, keeperIs: "alive", gatewayIs: "alive", carries: true })).toMatchObject({
      ...kept,
      gateway,
    });
    expect(observe({ ...displaced, keeperIs: "alive", gatewayIs: "gone" })).toMatchObject({
      state: "starting",
      owner: "here",
      keeper: KEEPER,
      gateway: null,
    });
    expect(observe({ ...displaced, keeperIs: "gone", gatewayIs: "alive", carries: true }).state).toBe("orphaned");
    expect(observe({ ...displaced, published: record("stopped"), keeperIs: "alive" }).owner).toBe("nobody");
  });

  test.each(["free", "unknown"] as const)(
    "is orphaned where a child of the killed gateway serves (lock %s)",
    (lock) => {
      const scene = { published: record("running"), lock, server } as const;
      const reason = expect.stringMatching(/a child still serves$/) as string;
      expect(observe(scene)).toMatchObject({ state: "orphaned", owner: "here", gateway: server, reason });
      expect(observe({ ...scene, published: record("stopped") }).state).toBe("stopped");
      expect(observe({ ...scene, server: null })).toMatchObject({ state: "stopped", leftover: true });
    },
  );

  test("is at rest where a command holds the lock of a killed run: that command is not a gateway", () => {
    const scene = { published: record("running"), lock: "held", holder: helper, heldByCommand: true } as const;
    const still = { owner: "unclear", keeper: null, gateway: null, leftover: false } as const;
    expect(observe(scene)).toEqual({ state: "stopped", reason: "keeper and gateway were killed", ...still });
    const told = "another command holds it still for the moment";
    expect(observe({ ...scene, published: undefined })).toEqual({ state: "stopped", reason: told, ...still });
    expect(observe({ ...scene, gatewayIs: "alive", carries: true })).toMatchObject({ state: "orphaned", gateway });
  });

  test("does not wait for the report of a paused keeper", () => {
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
    expect(observe({ published, lock: "free", port: "moved" })).toMatchObject({
      state: "stopped",
      reason: "was blocked at 2026-01-01T00:00:00.000Z; port 20000 is not its port now",
    });
  });

  test("is one state for any evidence; it agrees with the kernel, and some command can leave it", () => {
    const verdict = fc.constantFrom<ProcessVerdict>("alive", "gone", "unknown");
    const published = fc.constantFrom<PublishedState>(
      ...(["standby", "starting", "running", "unresponsive", "blocked", "failed", "stopping", "stopped"] as const),
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
      hidden: fc.boolean(),
      port: fc.constantFrom("yes" as const, "no" as const, "moved" as const, "unknown" as const),
      hasLockFile: fc.boolean(),
      heldByCommand: fc.boolean(),
      server: fc.constantFrom(null, server),
      displaced: fc.boolean(),
      otherHolders: fc.constant([]),
    });
    fc.assert(
      fc.property(scenes, (scene) => {
        const seen = observe(scene);
        expect(observe(scene)).toEqual(seen);
        if (scene.lock === "free" && !scene.displaced)
          expect(["running", "starting", "stopping", "unresponsive"]).not.toContain(seen.state);
        if (scene.lock === "held") expect(seen.owner).not.toBe("nobody");
        // A command that sweeps or copies is never taken for the gateway, so no stop ends it.
        if (scene.lock === "held" && scene.heldByCommand) expect(seen.gateway).not.toEqual(helper);
        if (seen.leftover) expect(seen).toMatchObject({ owner: "nobody", keeper: null, gateway: null });
        // A pid that cannot be signalled from here is not shown.
        if (seen.owner !== "here") expect(seen).toMatchObject({ keeper: null, gateway: null });
        // `stop` and `restart` act on a run that is here. Where there is no owner, `start` acts. An unclear case is
        // settled by a start's own attempt at the lock. A run elsewhere holds the lock, and is stopped there.
        if (seen.owner === "here") expect(seen.keeper ?? seen.gateway).not.toBe(null);
        if (seen.owner === "nobody") expect(["stopped", "failed", "blocked"]).toContain(seen.state);
        if (seen.owner === "elsewhere") expect(scene.lock).toBe("held");
        expectGrounds(scene, seen);
      }),
      { numRuns: 2_000 },
    );
  });

  test("of an orphan that the host hides is orphaned, and not somewhere else", () => {
    const scene = { published: record("running"), lock: "held", gatewayIs: "unknown", hidden: true } as const;
    expect(observe(scene)).toMatchObject({
      state: "orphaned",
      owner: "here",
      gateway: { pid: gateway.pid },
      reason: expect.stringMatching(/hidden from this user$/) as string,
    });
    expect(observe({ ...scene, keeperIs: "unknown" })).toMatchObject({ state: "running", owner: "elsewhere" });
  });
});

describe("the facts shown for a profile", () => {
  const running = record("running");
  const nobody = { gateway: null, keeper: null } as const;

  test.each<[string, Scene, ObservedState]>([
    [
      "kept: the keeper's own words",
      { published: running, lock: "held", keeperIs: "alive", gatewayIs: "unknown" },
      { state: "running", reason: "said so", owner: "here", gateway, keeper: KEEPER, leftover: false },
    ],
    [
      "kept, while its gateway has just ended",
      { published: running, lock: "held", keeperIs: "alive" },
      {
        state: "starting",
        reason: "its gateway has just ended, and its keeper has not yet said what follows",
        owner: "here",
        gateway: null,
        keeper: KEEPER,
        leftover: false,
      },
    ],
    [
      "kept by a keeper that is paused, while its gateway has ended",
      { published: record("unresponsive"), lock: "held", keeperIs: "alive", paused: true },
      {
        state: "unresponsive",
        reason: "its gateway has ended, and its keeper (pid 100) is paused",
        owner: "here",
        gateway: null,
        keeper: KEEPER,
        leftover: false,
      },
    ],
    [
      "kept without a gateway yet",
      { published: record("starting", { gateway: null }), lock: "held", keeperIs: "alive", paused: true },
      { state: "starting", reason: "said so", owner: "here", gateway: null, keeper: KEEPER, leftover: false },
    ],
    [
      "kept and called running, though no gateway was ever named",
      { published: record("running", { gateway: null }), lock: "held", keeperIs: "alive", paused: true },
      { state: "running", reason: "said so", owner: "here", gateway: null, keeper: KEEPER, leftover: false },
    ],
    [
      "orphaned",
      { published: running, lock: "held", gatewayIs: "alive", carries: true },
      {
        state: "orphaned",
        reason: "its keeper is gone, its gateway still runs without one",
        owner: "here",
        gateway,
        keeper: null,
        leftover: false,
      },
    ],
    [
      "left by a run that failed, and orphaned",
      { published: record("failed"), lock: "held", gatewayIs: "alive" },
      {
        state: "orphaned",
        reason: "its keeper is gone, its gateway still runs without one",
        owner: "here",
        gateway,
        keeper: null,
        leftover: false,
      },
    ],
    [
      "orphaned by a keeper that had no name",
      { published: record("running", { keeper: null }), lock: "held", gatewayIs: "alive", carries: true },
      {
        state: "orphaned",
        reason: "its keeper is gone, its gateway still runs without one",
        owner: "here",
        gateway,
        keeper: null,
        leftover: false,
      },
    ],
    [
      "killed before anything was named, where only the processes tell",
      { published: record("starting", nobody), lock: "unknown" },
      { state: "stopped", reason: "keeper and gateway were killed", owner: "nobody", ...nobody, leftover: true },
    ],
    [
      "held for a moment, though nothing was ever told of it",
      { lock: "held", gatewayIs: "alive", keeperIs: "alive" },
      { state: "stopped", reason: null, owner: "unclear", ...nobody, leftover: false },
    ],
    [
      "held for a moment after its end",
      { published: record("blocked", { gateway: null }), lock: "held" },
      { state: "blocked", reason: "said so", owner: "unclear", ...nobody, leftover: false },
    ],
    [
      "in another namespace, which is named",
      { published: running, lock: "held", keeperIs: "unknown", gatewayIs: "unknown" },
      {
        state: "running",
        reason: "runs in another container or user's namespace (pid namespace n): its lock is held there",
        owner: "elsewhere",
        ...nobody,
        leftover: false,
      },
    ],
    [
      "in another namespace, which only its gateway tells",
      { published: record("running", { keeper: null }), lock: "held", gatewayIs: "unknown" },
      {
        state: "running",
        reason: "runs in another container or user's namespace (pid namespace n): its lock is held there",
        owner: "elsewhere",
        ...nobody,
        leftover: false,
      },
    ],
    [
      "in another namespace, which nobody tells",
      { published: record("starting", nobody), lock: "held" },
      {
        state: "starting",
        reason: "runs in another container or user's namespace: its lock is held there",
        owner: "elsewhere",
        ...nobody,
        leftover: false,
      },
    ],
    [
      "killed",
      { published: running, lock: "free", carries: true },
      { state: "stopped", reason: "keeper and gateway were killed", owner: "nobody", ...nobody, leftover: true },
    ],
    [
      "ended, with a port that is taken by now",
      { published: record("failed"), lock: "free", hasLockFile: true, port: "no" },
      { state: "failed", reason: "said so", owner: "nobody", ...nobody, leftover: true },
    ],
    [
      "not to be told where the kernel does not tell",
      { published: running, lock: "unknown", keeperIs: "gone", gatewayIs: "unknown" },
      {
        state: "running",
        reason: "whether it lives is unknown from here",
        owner: "unclear",
        ...nobody,
        leftover: false,
      },
    ],
    [
      "not to be told where the kernel does not tell and the gateway is gone",
      { published: running, lock: "unknown", keeperIs: "unknown", gatewayIs: "gone" },
      {
        state: "running",
        reason: "whether it lives is unknown from here",
        owner: "unclear",
        ...nobody,
        leftover: false,
      },
    ],
    [
      "kept, where only the processes tell, after its gateway has ended",
      { published: running, lock: "unknown", keeperIs: "alive" },
      {
        state: "starting",
        reason: "its gateway has just ended, and its keeper has not yet said what follows",
        owner: "here",
        gateway: null,
        keeper: KEEPER,
        leftover: false,
      },
    ],
    [
      "at rest, where only the processes tell, though its keeper has not ended yet",
      { published: record("stopped", { gateway: null }), lock: "unknown", keeperIs: "alive" },
      { state: "stopped", reason: "said so", owner: "nobody", ...nobody, leftover: false },
    ],
    [
      "unknown to everybody",
      { lock: "unknown", hasLockFile: true },
      { state: "stopped", reason: null, owner: "nobody", ...nobody, leftover: true },
    ],
  ])("%s", (_, scene, told) => expect(observe(scene)).toEqual(told));

  test.each<[string, Omit<Scene, "published" | "lock">, ProcessIdentity]>([
    [
      "the recorded one, where it is among those that hold the lock",
      { holder: helper, otherHolders: [gateway] },
      gateway,
    ],
    ["the recorded one, where it carries the run", { holder: helper, carries: true }, gateway],
    ["the one that holds the lock, where the recorded pid proves nothing", { holder: helper }, helper],
    ["the recorded one, where nobody is seen to hold the lock", {}, gateway],
  ])("of an orphan name as its gateway %s", (_, scene, found) => {
    const seen = observe({ published: record("running"), lock: "held", gatewayIs: "alive", ...scene });
    expect(seen).toMatchObject({ state: "orphaned", gateway: found });
  });

  test("with the lock free, a living process is the gateway only with the run's nonce in its environment", () => {
    const scene = { published: running, lock: "free", carries: true } as const;
    expect(observe({ ...scene, gatewayIs: "unknown" }).state).toBe("stopped");
    expect(observe({ ...scene, gatewayIs: "alive" }).state).toBe("orphaned");
    expect(observe({ ...scene, gatewayIs: "alive", carries: false }).state).toBe("stopped");
  });
});

test("right after its own keeper's report it is that report, and it has an owner", () => {
  const told = { state: "running", reason: "said so", owner: "here", gateway, keeper: KEEPER, leftover: false };
  expect(observeKept(record("running"))).toEqual(told);
});

test("at rest it is the last published state, or stopped", () => {
  const rest = { owner: "nobody", gateway: null, keeper: null, leftover: false } as const;
  expect(observeAtRest(record("failed"))).toEqual({ state: "failed", reason: "said so", ...rest });
  expect(observeAtRest(undefined)).toEqual({ state: "stopped", reason: null, ...rest });
});

test("health is asked of a serving gateway, wherever it is, and of nothing else", () => {
  const serving = ["running", "unresponsive", "orphaned", "external"];
  const others = ["starting", "standby", "stopping", "stopped", "failed", "blocked"];
  const states = [...serving, ...others] as ObservedState["state"][];
  for (const owner of ["here", "elsewhere", "unclear", "nobody"] as const) {
    const asked = states.filter((state) => isServing({ ...observeAtRest(undefined), state, owner }));
    expect(asked).toEqual(owner === "nobody" ? [] : serving);
  }
});
