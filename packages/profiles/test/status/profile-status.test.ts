import { expect, test } from "vitest";
import { observeAtRest } from "../../src/status/observed-state.ts";
import { describeProfile } from "../../src/status/profile-status.ts";
import { manifest } from "../scratch-home.ts";

const statusOf = (name: string): ReturnType<typeof describeProfile> =>
  describeProfile(manifest("/srv/lk", name, 20_000), observeAtRest(undefined), undefined, null, Date.now());

test("a profile without groups has none, and no caller can put one into the next answer", () => {
  expect(() => (statusOf("a").groups as string[]).push("x")).toThrow(TypeError);
  expect(statusOf("b").groups).toEqual([]);
});
