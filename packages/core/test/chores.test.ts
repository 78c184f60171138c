/** Chores, with fake timers: each at its own pace, all at the same moments, and none when nothing is left to do. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { addChore } from "../src/chores.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("each is done at its own pace, and at moments that they share", () => {
  const begun = Date.now();
  const done: Record<string, number[]> = { often: [], seldom: [] };
  const ends = [addChore(1_000, () => void done["often"]?.push(Date.now() - begun))];
  vi.advanceTimersByTime(400);
  ends.push(addChore(2_000, () => void done["seldom"]?.push(Date.now() - begun)));
  vi.advanceTimersByTime(3_700);
  expect(done).toEqual({ often: [1_000, 2_000, 3_000, 4_000], seldom: [2_000, 4_000] });
  for (const end of ends) end();
});

test("one that ends itself and one that is added meanwhile are done no more, and not yet", () => {
  const done: string[] = [];
  const ends: (() => void)[] = [];
  const end = addChore(1_000, () => {
    end();
    done.push("once");
    ends.push(addChore(1_000, () => void done.push("later")));
  });
  vi.advanceTimersByTime(1_000);
  expect(done).toEqual(["once"]);
  vi.advanceTimersByTime(1_000);
  expect(done).toEqual(["once", "later"]);
  for (const endLater of ends) endLater();
});

test("no timer is left with the last one, and a new one begins anew", () => {
  addChore(1_000, () => undefined)();
  expect(vi.getTimerCount()).toBe(0);
  let count = 0;
  const end = addChore(1_000, () => void (count += 1));
  vi.advanceTimersByTime(2_000);
  expect(count).toBe(2);
  end();
  expect(vi.getTimerCount()).toBe(0);
});
