import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { ensurePrivateDirectory, isSafeWay } from "../../src/storage/private-directory.ts";

let scratch = "";
beforeEach(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "private-"));
});
afterEach(() => fs.rmSync(scratch, { recursive: true, force: true }));

const asRoot = process.geteuid?.() === 0;
const modeOf = (path: string): string => (fs.lstatSync(path).mode & 0o7777).toString(8);

function withUmask(mask: number, action: () => void): void {
  const before = process.umask(mask);
  try {
    action();
  } finally {
    process.umask(before);
  }
}

describe("ensurePrivateDirectory", () => {
  test("creates it and its missing parents with mode 0700 under any umask, and accepts it again", () => {
    for (const mask of [0o000, 0o777]) {
      const path = join(scratch, `home-${mask}`, "a", "b");
      withUmask(mask, () => ensurePrivateDirectory(path));
      ensurePrivateDirectory(path);
      for (const each of [path, join(path, ".."), join(path, "..", "..")]) expect(modeOf(each)).toBe("700");
    }
  });

  test("never changes the mode of a directory that it did not create", () => {
    const path = join(scratch, "mine");
    fs.mkdirSync(path, { mode: 0o755 });
    ensurePrivateDirectory(path);
    expect(modeOf(path)).toBe("755");
  });

  test("refuses a link, a file, and a directory that others can write, naming path and mode", () => {
    const link = join(scratch, "link");
    fs.symlinkSync(scratch, link);
    const file = join(scratch, "file");
    fs.writeFileSync(file, "");
    const open = join(scratch, "open");
    fs.mkdirSync(open);
    fs.chmodSync(open, 0o777);
    for (const path of [link, file, open]) {
      expect(() => ensurePrivateDirectory(path)).toThrow(expect.objectContaining({ code: "UNSAFE_PATH" }));
    }
    expect(() => ensurePrivateDirectory(open)).toThrow("0777");
    expect(() => ensurePrivateDirectory(join(open, "below"))).toThrow(
      `${open}, which can be written by others (mode 0777)`,
    );
    fs.chmodSync(open, 0o1777);
    ensurePrivateDirectory(join(open, "below"));
  });

  test.skipIf(!asRoot)("refuses a directory of another user, and one below it (needs root: chown)", () => {
    const foreign = join(scratch, "foreign");
    fs.mkdirSync(foreign);
    fs.chownSync(foreign, 12_345, 12_345);
    expect(() => ensurePrivateDirectory(foreign)).toThrow("uid 12345");
    expect(() => ensurePrivateDirectory(join(foreign, "below"))).toThrow("belongs to another user");
    const link = join(scratch, "their-link");
    fs.symlinkSync(scratch, link);
    fs.lchownSync(link, 12_345, 12_345);
    expect(() => ensurePrivateDirectory(join(link, "below"))).toThrow("belongs to another user");
  });

  test.skipIf(!asRoot)("refuses what a link of ours reaches by a link of another user (needs root: chown)", () => {
    const { mine, turn } = withForeignTurn();
    for (const path of [join(turn, "below"), join(turn, "home", "below")]) {
      expect(() => ensurePrivateDirectory(path)).toThrow("belongs to another user (uid 12345)");
      expect(fs.readdirSync(join(mine, "home"))).toEqual([]);
    }
    expect(isSafeWay(turn)).toBe(false);
    // The same folder by links of ours, one of them after the other, relative and up again.
    fs.symlinkSync("mine/../mine", join(scratch, "near"));
    fs.symlinkSync(join(scratch, "near"), join(scratch, "far"));
    const own = join(scratch, "far", "home");
    expect(isSafeWay(own)).toBe(true);
    ensurePrivateDirectory(join(own, "below"));
    expect(fs.readdirSync(join(mine, "home"))).toEqual(["below"]);
  });

  test("refuses a way that never ends", () => {
    const link = join(scratch, "circle");
    fs.symlinkSync(link, link);
    expect(() => ensurePrivateDirectory(join(link, "below"))).toThrow("ELOOP");
    expect(isSafeWay(link)).toBe(false);
  });
});

/** `turn` is a link of ours that leads to `mine` by a link of another user. */
function withForeignTurn(): { readonly mine: string; readonly turn: string } {
  const [mine, their, turn] = [join(scratch, "mine"), join(scratch, "their"), join(scratch, "turn")];
  fs.mkdirSync(join(mine, "home"), { recursive: true, mode: 0o700 });
  fs.symlinkSync(mine, their);
  fs.lchownSync(their, 12_345, 12_345);
  fs.symlinkSync(their, turn);
  return { mine, turn };
}
