import type { ProcessIdentity, ProcessVerdict, PublishedState, RunRecord } from "@lockkeeper/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { observeState } from "../../src/status/observed-state.ts";

const keeper: ProcessIdentity = { pid: 100, startTicks: 1, bootId: "b", pidNamespace: "n" };
const gateway: ProcessIdentity = { ...keeper, pid: 101 };

const record = (state: PublishedState): RunRecord => ({
  v: 1,
  profile: "dev",
  nonce: "00",
  state,
  reason: "said so",
  code: null,
  since: "2026-01-01T00:00:00.000Z",
  keeper,
  gateway,
  host: "127.0.0.1",
  port: 20_000,
  ports: { gateway: 20_000 },
  startedAt: null,
  health: "ok",
  restarts: 0,
  lastExit: null,
});

const observe = (state: PublishedState, keeperIs: ProcessVerdict, gatewayIs: ProcessVerdict): string =>
  observeState(record(state), (identity) => (identity.pid === keeper.pid ? keeperIs : gatewayIs)).state;

describe("observeState", () => {
  it("says stopped where nothing was ever published", () => {
    expect(observeState(undefined, () => "alive").state).toBe("stopped");
  });

  it.each([
    ["running", "alive", "alive", "running"],
    ["unresponsive", "alive", "alive", "unresponsive"],
    ["starting", "alive", "gone", "starting"],
    ["running", "alive", "gone", "starting"],
    ["unresponsive", "alive", "gone", "starting"],
    ["stopping", "alive", "gone", "stopping"],
    ["running", "gone", "alive", "orphaned"],
    ["running", "gone", "gone", "stopped"],
    ["starting", "gone", "gone", "stopped"],
    ["failed", "gone", "gone", "failed"],
    ["blocked", "gone", "gone", "blocked"],
    // What cannot be judged is not declared dead.
    ["running", "unknown", "unknown", "running"],
    ["running", "gone", "unknown", "orphaned"],
  ] as const)("%s, keeper %s, gateway %s: %s", (published, keeperIs, gatewayIs, state) => {
    expect(observe(published, keeperIs, gatewayIs)).toBe(state);
  });

  it("never says running without a gateway that may live, nor leaves a leftover to a living process", () => {
    const verdict = fc.constantFrom<ProcessVerdict>("alive", "gone", "unknown");
    const states = fc.constantFrom<PublishedState>(
      ...(["starting", "running", "unresponsive", "blocked", "failed", "stopping", "stopped"] as const),
    );
    fc.assert(
      fc.property(states, verdict, verdict, (state, keeperIs, gatewayIs) => {
        const seen = observeState(record(state), ({ pid }) => (pid === keeper.pid ? keeperIs : gatewayIs));
        if (seen.state === "running") expect(seen.gateway).not.toBe(null);
        if (seen.leftover) expect([seen.keeper, seen.gateway]).toEqual([null, null]);
      }),
    );
  });
});
