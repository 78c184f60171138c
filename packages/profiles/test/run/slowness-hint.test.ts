/** The hint of a start that took too long names what was seen. */
import { expect, test } from "vitest";
import { createProfile } from "../../src/life/create.ts";
import { hintOnSlowness } from "../../src/run/slowness-hint.ts";
import type { ObservedState } from "../../src/status/observed-state.ts";
import { scratchContext } from "../life/scratch-context.ts";
import { runOf } from "../published-run.ts";

test.each([
  [1, "It has ended by itself once so far; what it printed: lockkeeper why api"],
  [4, "It has ended by itself 4 times so far; what it printed: lockkeeper why api"],
])("a program that has crashed %i times is not taken for one without a port", async (restarts, hint) => {
  const context = scratchContext();
  const manifest = await createProfile(context.home, { name: "api", kind: "command", argv: ["/bin/false"] });
  const record = runOf(manifest, { state: "starting", restarts });
  const observed = { state: "starting", reason: null } as ObservedState;
  expect(await hintOnSlowness(context, { manifest, record, observed })).toBe(hint);
});
