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

test("a user's private group is nobody else, of what is the user's or root's; any other group is", () => {
  asUser(1000, 1000);
  expect(seen(0o2775, 0, 1000)).toEqual(["5", false]);
  expect(seen(0o660, 1000, 1000)).toEqual(["0", false]);
  expect(seen(0o662, 1000, 1000)).toEqual(["2", true]);
  expect(seen(0o660, 1000, 100)).toEqual(["60", true]);
  expect(seen(0o660, 1001, 1001)).toEqual(["60", true]);
  // Somebody else's who has let our group in lets in whom he likes.
  expect(seen(0o660, 1001, 1000)).toEqual(["60", true]);
  asUser(1000, 100);
  expect(seen(0o660, 1000, 1000)).toEqual(["60", true]);
});

test("root's group may have members: what it may read is told, what it may write is usual", () => {
  asUser(0, 0);
  expect(seen(0o775, 0, 0)).toEqual(["75", false]);
  expect(seen(0o640, 0, 0)).toEqual(["40", false]);
});
