/** The order of profiles, for any number of them and any dependencies: positions and circles. */
import { array, assert, nat, property, shuffledSubarray, subarray } from "fast-check";
import { expect, test } from "vitest";
import { findCircle, planRestart, planStart, planStop, refuseNewCircle } from "../../src/registry/start-order.ts";
import type { Ordered, OrderedStep } from "../../src/registry/start-order.ts";

const names = Array.from({ length: 12 }, (_, index) => `p${index}`);

/** Profiles, each of which comes after some with a lower number, so there is no circle. */
const ordered = array(array(nat(11), { maxLength: 4 }), { minLength: 1, maxLength: 12 })
  .map((wishes) =>
    wishes.map((after, index): Ordered => {
      const before = after.filter((each) => each < index).map((each) => `p${each}`);
      return { name: `p${index}`, after: before };
    }),
  )
  .chain((profiles) => shuffledSubarray(profiles, { minLength: profiles.length }));

/** Any dependencies at all. */
const tangled = array(array(nat(11), { maxLength: 3 }), { minLength: 1, maxLength: 12 }).map((wishes) =>
  wishes.map((after, index): Ordered => ({ name: `p${index}`, after: after.map((each) => `p${each}`) })),
);

const chosen = subarray(names, { minLength: 1 });

function byName(profiles: readonly Ordered[]): ReadonlyMap<string, Ordered> {
  return new Map(profiles.map((profile) => [profile.name, profile]));
}

/** Whether `name` comes after `other`, directly or not. */
function comesAfter(profiles: ReadonlyMap<string, Ordered>, name: string, other: string): boolean {
  const seen = new Set([name]);
  for (const each of seen) for (const next of profiles.get(each)?.after ?? []) seen.add(next);
  return name !== other && seen.has(other);
}

/** Checks that each step is there once, and after everything that it waits for. */
function isSorted(steps: readonly OrderedStep[]): boolean {
  const done = new Set<string>();
  return steps.every(({ name, awaits }) => awaits.every((each) => done.has(each)) && !done.has(name) && done.add(name));
}

test("a start includes everything that the names come after, and nothing else, in order", () => {
  assert(
    property(ordered, chosen, (profiles, wanted) => {
      const all = byName(profiles);
      const { steps } = planStart(all, wanted);
      expect(isSorted(steps)).toBe(true);
      const expected = new Set(wanted);
      for (const name of names) if (wanted.some((each) => comesAfter(all, each, name))) expected.add(name);
      expect(new Set(steps.map(({ name }) => name))).toEqual(expected);
      for (const { name, awaits } of steps) expect(new Set(awaits)).toEqual(new Set(all.get(name)?.after));
    }),
  );
});

test("a stop includes only the names, followers first, direct or not; it names the profiles that keep running", () => {
  assert(
    property(ordered, chosen, (profiles, wanted) => {
      const all = byName(profiles);
      const { steps, followers } = planStop(all, wanted);
      expect(isSorted(steps)).toBe(true);
      expect(steps.map(({ name }) => name).sort()).toEqual([...wanted].sort());
      const place = new Map(steps.map(({ name }, index) => [name, index]));
      for (const a of wanted)
        for (const b of wanted) if (comesAfter(all, a, b)) expect(place.get(a)).toBeLessThan(place.get(b) ?? -1);
      const others = profiles.map(({ name }) => name).filter((name) => !wanted.includes(name));
      expect(followers).toEqual(others.filter((name) => wanted.some((each) => comesAfter(all, name, each))).sort());
    }),
  );
});

test("a restart includes only the names, in the order of a start", () => {
  assert(
    property(ordered, chosen, (profiles, wanted) => {
      const all = byName(profiles);
      const { steps } = planRestart(all, wanted);
      expect(isSorted(steps)).toBe(true);
      expect(steps.map(({ name }) => name).sort()).toEqual([...wanted].sort());
      for (const { name, awaits } of steps)
        expect(new Set(awaits)).toEqual(new Set(wanted.filter((each) => comesAfter(all, name, each))));
    }),
  );
});

test("a circle is found exactly when there is one, and each member comes after the next", () => {
  assert(
    property(tangled, (profiles) => {
      const all = byName(profiles);
      const circle = findCircle(profiles);
      const isCircular = profiles.some(({ name, after = [] }) =>
        after.some((each) => each === name || comesAfter(all, each, name)),
      );
      expect(circle !== undefined).toBe(isCircular);
      for (const [index, name] of (circle ?? []).slice(0, -1).entries()) {
        expect(all.get(name)?.after).toContain(circle?.[index + 1]);
      }
      if (circle !== undefined) expect(circle[0]).toBe(circle.at(-1));
    }),
  );
});

test("a profile that waits for itself can be stopped, and is never started", () => {
  assert(
    property(tangled, chosen, (profiles, wanted) => {
      const all = byName(profiles);
      for (const plan of [planStop, planRestart]) {
        const { steps } = plan(all, wanted);
        expect(isSorted(steps)).toBe(true);
        expect(steps.map(({ name }) => name).sort()).toEqual([...wanted].sort());
      }
      if (findCircle(profiles) === undefined) return;
      const inIt = findCircle(profiles)?.[0] ?? "";
      expect(() => planStart(all, [inIt])).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    }),
  );
});

test("a new circle is refused by its names; an existing one can be repaired", () => {
  const a = { name: "a", after: ["b"] };
  const b = { name: "b", after: ["a"] };
  expect(() => refuseNewCircle(byName([a, { name: "b" }]), [a, b])).toThrow(/^a comes after b comes after a: a circle/);
  expect(() => refuseNewCircle(byName([a, b]), [a, b, { name: "c", after: ["a"] }])).not.toThrow();
  expect(() => refuseNewCircle(byName([a, b]), [{ name: "a" }, b])).not.toThrow();
});

test("a chain of thousands works", () => {
  const chain = Array.from({ length: 3_000 }, (_, index): Ordered => {
    return { name: `n${index}`, after: index === 0 ? [] : [`n${index - 1}`] };
  });
  expect(findCircle(chain)).toBeUndefined();
  expect(planStart(byName(chain), ["n2999"]).steps.map(({ name }) => name)).toEqual(chain.map(({ name }) => name));
});
