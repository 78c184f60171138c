import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PathLook } from "../../src/storage/path-look.ts";
import { realPath } from "../../src/storage/real-path.ts";

describe("PathLook", () => {
  let root = "";
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "look-")));
    mkdirSync(join(root, "a/b/c"), { recursive: true });
    writeFileSync(join(root, "a/b/file"), "");
    symlinkSync("a", join(root, "to-a"));
    symlinkSync("b/file", join(root, "a/to-file"));
    symlinkSync(join(root, "gone"), join(root, "dangling"));
    symlinkSync("c", join(root, "a/b/to-c"));
    symlinkSync("circle", join(root, "circle"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("resolves as the system does, through links and to what is not there", () => {
    const look = new PathLook();
    const places = [
      "",
      "a",
      "a/b/c",
      "a/b/file",
      "to-a",
      "to-a/b/c",
      "to-a/to-file",
      "to-a/b/to-c",
      "to-a/b/to-c/gone/x",
    ];
    for (const place of [...places, "gone/further", "to-a/gone", "a/../to-a/b"]) {
      expect(look.realPath(`${root}/${place}`), place).toBe(realPath(`${root}/${place}`));
    }
    expect(look.realPath("/")).toBe("/");
    expect(() => look.realPath(join(root, "circle"))).toThrow(expect.objectContaining({ code: "IO_FAILED" }));
  });

  test("knows what is absent from what cannot be seen", () => {
    const look = new PathLook();
    const absent = ["a/gone", "to-a", "a/b/file/x", "gone/x", "dangling", "circle/x"];
    expect(absent.filter((place) => look.isAbsent(join(root, place)))).toEqual(["a/gone"]);
  });

  test("looks at each path once, and behind a link for what exists", () => {
    const look = new PathLook();
    const seen = ["a", "to-a", "dangling", "gone"].map((place) => [place, look.exists(join(root, place))]);
    expect(seen).toEqual([
      ["a", true],
      ["to-a", true],
      ["dangling", false],
      ["gone", false],
    ]);
    mkdirSync(join(root, "gone"));
    expect(look.see(join(root, "gone"))).toBeUndefined();
    expect(look.see(join(root, "to-a"))?.kind).toBe("link");
  });
});
