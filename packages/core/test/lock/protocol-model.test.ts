import { describe, expect, test } from "vitest";

import type { Exploration, Protocol, World } from "./protocol-model.ts";
import { explore } from "./protocol-model.ts";

const WHOLE: Protocol = {
  inodeCheck: true,
  unlinkBeforeClose: true,
  mark: true,
  trustsPid: false,
  skipsMarks: "never",
};
/** Where the kernel does not list its locks there are no marks. */
const PLAIN: Protocol = { ...WHOLE, mark: false };

function run(protocol: Protocol, world: World): Exploration {
  const result = explore(protocol, world);
  const found = result.twoOwners ?? result.wedge;
  process.stdout.write(`${result.states} states${found === undefined ? "" : `: ${found.join("; ")}`}\n`);
  return result;
}

const CLEAN = { twoOwners: undefined, wedge: undefined };

describe("every run of three processes under the lock protocol", () => {
  test("has at most one owner and always a possible next one, through crashes and reused pids", () => {
    expect(run(PLAIN, { crashes: 2, deletions: 0 })).toMatchObject(CLEAN);
  });

  test("has at most one owner and always a possible next one, though the file is deleted or replaced", () => {
    expect(run(WHOLE, { crashes: 1, deletions: 1 })).toMatchObject(CLEAN);
  });
});

describe("the exploration finds the hole", () => {
  test("of a lock without the inode check", () => {
    const { twoOwners } = run({ ...PLAIN, inodeCheck: false }, { crashes: 0, deletions: 0 });
    expect(twoOwners).toBeDefined();
  });

  test("of a lock that is released before its file is removed", () => {
    const { twoOwners } = run({ ...PLAIN, unlinkBeforeClose: false }, { crashes: 0, deletions: 0 });
    expect(twoOwners).toBeDefined();
  });

  test("of a deleted file where owners leave no mark", () => {
    const { twoOwners } = run(PLAIN, { crashes: 0, deletions: 1 });
    expect(twoOwners).toBeDefined();
  });

  test("of a newcomer that does not count the marks because the file's record names a dead owner", () => {
    const { twoOwners } = run({ ...WHOLE, skipsMarks: "after a dead owner" }, { crashes: 0, deletions: 1 });
    expect(twoOwners).toBeDefined();
  });

  test("of a waiter that counts the marks before it has the lock, and not again", () => {
    const { twoOwners } = run({ ...WHOLE, skipsMarks: "after a look while refused" }, { crashes: 0, deletions: 1 });
    expect(twoOwners).toBeDefined();
  });

  test("of a lock that trusts a recorded pid, which another process may have by now", () => {
    const { wedge } = run({ ...PLAIN, trustsPid: true }, { crashes: 1, deletions: 0 });
    expect(wedge).toBeDefined();
  });
});
