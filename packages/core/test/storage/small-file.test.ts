import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileKind } from "../../src/storage/file-kind.ts";
import { readIfPresentSync } from "../../src/storage/small-file.ts";

let scratch = "";
beforeEach(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "small-"));
});
afterEach(() => fs.rmSync(scratch, { recursive: true, force: true }));

describe("readIfPresentSync", () => {
  test("returns the text, or undefined when nothing is there", async () => {
    const path = join(scratch, "file");
    expect(readIfPresentSync(path)).toBeUndefined();
    fs.writeFileSync(path, "hällo");
    expect(readIfPresentSync(path)).toBe("hällo");
  });

  test("refuses a device and a file of absurd size without reading it", async () => {
    expect(() => readIfPresentSync("/dev/zero")).toThrow(expect.objectContaining({ code: "UNSAFE_PATH" }));
    const path = join(scratch, "huge");
    fs.writeFileSync(path, "");
    fs.truncateSync(path, 1024 ** 4);
    expect(() => readIfPresentSync(path)).toThrow(expect.objectContaining({ code: "UNSAFE_PATH" }));
  });
});

test("the kind of a file is the one that Node names", () => {
  const [file, link] = [join(scratch, "file"), join(scratch, "link")];
  fs.writeFileSync(file, "");
  fs.symlinkSync(file, link);
  const kinds = [file, link, scratch, "/dev/null"].map((path) => fileKind(fs.lstatSync(path)));
  expect(kinds).toEqual(["file", "link", "directory", "character device"]);
  expect(fileKind(fs.lstatSync(link, { bigint: true }))).toBe("link");
});
