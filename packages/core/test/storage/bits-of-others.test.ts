import { afterEach, expect, test, vi } from "vitest";
import { bitsOfOthers, isOpenToOthers } from "../../src/storage/bits-of-others.ts";

afterEach(() => vi.restoreAllMocks());

function asUser(uid: number, gid: number): void {
  vi.spyOn(process, "geteuid").mockReturnValue(uid);
  vi.spyOn(process, "getegid").mockReturnValue(gid);
}

const seen = (mode: number, uid: number, gid: number): readonly [string, boolean] => [
  bitsOfOthers({ mode, uid, gid, ctimeMs: 0 }, "/nowhere").toString(8),
  isOpenToOthers({ mode, uid, gid, ctimeMs: 0 }, "/nowhere"),
];

test("a user's private group does not count as others for the user's and root's files; any other group does", () => {
  asUser(1000, 1000);
  expect(seen(0o2775, 0, 1000)).toEqual(["5", false]);
  expect(seen(0o660, 1000, 1000)).toEqual(["0", false]);
  expect(seen(0o662, 1000, 1000)).toEqual(["2", true]);
  expect(seen(0o660, 1000, 100)).toEqual(["60", true]);
  expect(seen(0o660, 1001, 1001)).toEqual(["60", true]);
  // A foreign owner who has let our group in may let in others too.
  expect(seen(0o660, 1001, 1000)).toEqual(["60", true]);
  asUser(1000, 100);
  expect(seen(0o660, 1000, 1000)).toEqual(["60", true]);
});

test("root's group may have members: read access is reported, write access is usual", () => {
  asUser(0, 0);
  expect(seen(0o775, 0, 0)).toEqual(["75", false]);
  expect(seen(0o640, 0, 0)).toEqual(["40", false]);
});
