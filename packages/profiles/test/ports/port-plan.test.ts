import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BROWSER_REFUSED_PORTS } from "../../src/ports/browser-ports.ts";
import { findPlanConflicts } from "../../src/ports/plan-conflicts.ts";
import { hostClaims, namedRanges, profileClaims } from "../../src/ports/port-claims.ts";
import { formatRange, measurePool, overlaps, planBlock } from "../../src/ports/port-plan.ts";
import type { PortClaim } from "../../src/ports/port-plan.ts";
import { manifest } from "../scratch-home.ts";

const range = fc
  .tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 40 }))
  .map(([first, length]) => ({ first, last: first + length - 1 }));
const claim = (by: PortClaim["by"], owner: string, first: number, last: number): PortClaim => ({
  by,
  owner,
  first,
  last,
  label: "",
});
const claims = fc.array(
  range.map(({ first, last }) => claim("profile", `p${first}`, first, last)),
  { maxLength: 12 },
);
const span = fc.integer({ min: 1, max: 30 });
const POOL = { first: 20, last: 300 };

describe("planBlock", () => {
  test("touches no claim, stays in the pool, and is the lowest such block", () => {
    fc.assert(
      fc.property(span, claims, fc.integer({ min: 1, max: 320 }), (size, taken, from) => {
        const block = planBlock({ span: size, pool: POOL, claims: taken }, from);
        const fits = (first: number): boolean =>
          first + size - 1 <= POOL.last && !taken.some((each) => overlaps(each, { first, last: first + size - 1 }));
        const lowest = Array.from({ length: 320 }, (_, first) => first).find(
          (first) => first >= Math.max(from, POOL.first) && fits(first),
        );
        expect(block?.first).toBe(lowest);
        if (block !== undefined) expect(block.last - block.first + 1).toBe(size);
      }),
    );
  });

  test("one after the other, blocks are disjoint until the pool is full, and a freed gap is used again", () => {
    fc.assert(
      fc.property(span, claims, (size, foreign) => {
        const taken: PortClaim[] = [...foreign];
        for (;;) {
          const block = planBlock({ span: size, pool: POOL, claims: taken });
          if (block === undefined) break;
          expect(taken.some((each) => overlaps(each, block))).toBe(false);
          taken.push(claim("profile", "new", block.first, block.last));
        }
        const freed = taken.find(({ owner }) => owner === "new");
        if (freed === undefined) return;
        const rest = taken.filter((each) => each !== freed);
        expect(planBlock({ span: size, pool: POOL, claims: rest })?.first).toBeLessThanOrEqual(freed.first);
      }),
    );
  });

  test("a pool of exactly one block yields it; one port less yields none", () => {
    expect(planBlock({ span: 10, pool: { first: 20, last: 29 }, claims: [] })).toEqual({ first: 20, last: 29 });
    expect(planBlock({ span: 10, pool: { first: 20, last: 28 }, claims: [] })).toBeUndefined();
  });

  test("counts the pool's ports once each, for the claimant that is named first, with every owner of some", () => {
    const order = ["profile", "reservation", "installation", "listener", "ephemeral", "reserved", "browser"] as const;
    const anyClaims = fc.array(
      fc
        .tuple(range, fc.constantFrom(...order), fc.constantFrom("a", "b", "c"))
        .map(([{ first, last }, by, owner]) => claim(by, owner, first, last)),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(anyClaims, (taken) => {
        const counts = new Map<string, number>();
        for (let port = POOL.first; port <= POOL.last; port += 1) {
          const by = order.find((each) =>
            taken.some((one) => one.by === each && one.first <= port && port <= one.last),
          );
          if (by !== undefined) counts.set(by, (counts.get(by) ?? 0) + 1);
        }
        const ownersOf = (by: string): number =>
          new Set(taken.filter((each) => each.by === by && overlaps(each, POOL)).map(({ owner }) => owner)).size;
        const expected = order.flatMap((by) => {
          const ports = counts.get(by) ?? 0;
          return ports === 0 ? [] : [{ by, ports, owners: ownersOf(by) }];
        });
        expect(measurePool(POOL, taken)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test("a range of one port is written as a port", () => {
    expect([formatRange({ first: 7, last: 7 }), formatRange({ first: 7, last: 8 })]).toEqual(["7", "7-8"]);
  });
});

describe("claims", () => {
  test("a profile claims its block, its derived ranges, and ports that were put outside of it", () => {
    const home = "/h";
    const openclaw = manifest(home, "claw", 19_000, {
      kind: "openclaw",
      span: 120,
      ports: { gateway: 19_000, "browser-control": 19_002, cdp: 19_011, far: 25_000 },
    });
    expect(namedRanges(openclaw)).toEqual([
      { label: "gateway", first: 19_000, last: 19_000 },
      { label: "browser-control", first: 19_002, last: 19_002 },
      { label: "cdp", first: 19_011, last: 19_110 },
      { label: "far", first: 25_000, last: 25_000 },
    ]);
    expect(profileClaims(openclaw).map(({ first, last }) => [first, last])).toEqual([
      [19_000, 19_119],
      [25_000, 25_000],
    ]);
  });

  test("the host's listeners on every address, its ephemeral and reserved ports, and ports that browsers block are claims", () => {
    const all = hostClaims({
      listeners: [{ family: 4, address: "100.64.0.7", port: 20_005, inode: "1", uid: 1000 }],
      ephemeral: { first: 32_768, last: 60_999, source: "read" },
      reserved: [{ first: 21_000, last: 21_009 }],
      unprivilegedFrom: 1024,
    });
    for (const port of [20_005, 32_768, 60_999, 21_009, 10_080, 6000]) {
      expect(all.some((each) => overlaps(each, { first: port, last: port }))).toBe(true);
    }
    expect(all.some((each) => overlaps(each, { first: 20_006, last: 20_999 }))).toBe(false);
    expect(BROWSER_REFUSED_PORTS.has(18_789)).toBe(false);
  });
});

describe("findPlanConflicts", () => {
  test("names each touching pair once, and no other", () => {
    fc.assert(
      fc.property(claims, (taken) => {
        const expected = new Set<string>();
        for (const a of taken) {
          for (const b of taken) {
            if (a.owner !== b.owner && overlaps(a, b)) expected.add([a.owner, b.owner].sort().join(" "));
          }
        }
        const found = findPlanConflicts(taken).map(({ profiles }) => profiles.join(" "));
        expect([...found].sort()).toEqual([...expected].sort());
      }),
    );
  });

  test("installations are not compared with each other", () => {
    const theirs = [claim("installation", "~/.openclaw", 1, 9), claim("installation", "~/.openclaw-dev", 5, 12)];
    expect(findPlanConflicts(theirs)).toEqual([]);
    expect(findPlanConflicts([...theirs, claim("profile", "dev", 9, 9)])).toMatchObject([
      { kind: "openclaw", port: 9, profiles: ["dev"] },
      { kind: "openclaw", port: 9, profiles: ["dev"] },
    ]);
  });

  test("names the other side in words, whichever comes first", () => {
    const dev = claim("profile", "dev", 10, 19);
    const cases = [
      [claim("reservation", "", 19, 25), "reservation", 19, "a reservation (19-25)"],
      [claim("reservation", "ann", 5, 10), "reservation", 10, "the reservation for ann (5-10)"],
      [
        { ...claim("installation", "~/.openclaw", 8, 12), program: "OpenClaw", label: "cdp" },
        "openclaw",
        10,
        "OpenClaw in ~/.openclaw (cdp 8-12)",
      ],
    ] as const;
    for (const [other, kind, port, owner] of cases) {
      for (const both of [
        [dev, other],
        [other, dev],
      ])
        expect(findPlanConflicts(both)).toEqual([{ kind, port, profiles: ["dev"], owner }]);
    }
    const prod = claim("profile", "prod", 15, 30);
    expect(findPlanConflicts([prod, dev])).toEqual([
      { kind: "overlap", port: 15, profiles: ["dev", "prod"], owner: null },
    ]);
  });

  test("a profile and another owner of the same name are two, and a pair that touches twice is one conflict", () => {
    expect(findPlanConflicts([claim("profile", "dev", 1, 9), claim("reservation", "dev", 9, 9)])).toHaveLength(1);
    const twice = [
      claim("profile", "a", 1, 5),
      claim("profile", "b", 5, 8),
      claim("profile", "a", 20, 25),
      claim("profile", "b", 18, 20),
    ];
    expect(findPlanConflicts(twice)).toEqual([{ kind: "overlap", port: 5, profiles: ["a", "b"], owner: null }]);
    expect(findPlanConflicts([claim("reservation", "a", 1, 5), claim("reservation", "b", 5, 8)])).toEqual([]);
  });
});
