import type { ProfileStatus } from "@lockkeeper/profiles";
import { expect, test } from "vitest";
import type { Context } from "../src/context.ts";
import { onEachProfile } from "../src/each-profile.ts";
import { SILENT } from "../src/terminal/progress.ts";

const context = { progress: SILENT } as unknown as Context;
const STATUS = { state: "stopped" } as unknown as ProfileStatus;
const steps = Array.from({ length: 100 }, (_, index) => ({ name: `p${index}`, awaits: [] }));

/** Returns how many profiles are being worked on when no further one begins, while none has ended. */
async function begunAtOnce(afterFailure: "go-on" | "hold-back"): Promise<number> {
  let begun = 0;
  let atOnce = 0;
  const all = new Promise<void>((resolve) => {
    setImmediate(() => {
      atOnce = begun;
      resolve();
    });
  });
  const { value } = await onEachProfile(context, steps, afterFailure, async () => {
    begun += 1;
    await all;
    return { outcome: "done", status: STATUS };
  });
  expect(value.map(({ outcome }) => outcome)).toEqual(steps.map(() => "done"));
  return atOnce;
}

test("all stops wait for their gateways at once; fewer starts run at once", async () => {
  expect(await begunAtOnce("go-on")).toBe(steps.length);
  expect(await begunAtOnce("hold-back")).toBe(16);
});
