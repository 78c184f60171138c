/** What a start does next, for each state that it may find and everything that it knows by then. */
import { GatewayLockError } from "@lockkeeper/core";
import { describe, expect, test } from "vitest";
import { nextStep } from "../../src/run/start.ts";
import type { ObservedState } from "../../src/status/observed-state.ts";

const NEW = { watched: false, refused: undefined };
const REFUSED = { ...NEW, refused: new GatewayLockError("LOCK_HELD", "held") };

function step(
  state: ObservedState["state"],
  owner: ObservedState["owner"],
  story: Parameters<typeof nextStep>[1],
): string {
  return nextStep({ state, owner } as ObservedState, story);
}

describe("nextStep", () => {
  test.each([
    ["running", "here", NEW, "listen"],
    ["orphaned", "here", NEW, "listen"],
    ["external", "nobody", NEW, "external"],
    ["unresponsive", "here", NEW, "unresponsive"],
    ["standby", "here", NEW, "standby"],
    ["starting", "here", NEW, "wait"],
    ["stopping", "here", NEW, "wait"],
    ["stopped", "nobody", NEW, "launch"],
    ["failed", "nobody", NEW, "launch"],
    ["blocked", "nobody", NEW, "launch"],
    // Another start was watched: its result is the answer.
    ["failed", "nobody", { ...NEW, watched: true }, "explain"],
    ["blocked", "nobody", { ...NEW, watched: true }, "explain"],
    ["stopped", "nobody", { ...NEW, watched: true }, "launch"],
    // Our keeper was refused the lock.
    ["stopped", "nobody", REFUSED, "refused"],
    ["failed", "nobody", { ...REFUSED, watched: true }, "explain"],
    // Only the lock can tell whether there is an owner.
    ["running", "unclear", NEW, "launch"],
    ["running", "unclear", REFUSED, "refused"],
  ] as const)("%s, owned by %s, %j: %s", (state, owner, story, expected) => {
    expect(step(state, owner, story)).toBe(expected);
  });
});
