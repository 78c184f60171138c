import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ensurePrivateDirectory, readIfPresent, replaceFile, replaceFileSync } from "../../src/storage/durable-file.ts";

let scratch = "";
beforeEach(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "durable-"));
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

describe("replaceFile", () => {
  test("holds the new content with mode 0600 under any umask, and leaves no temp file", async () => {
    const path = join(scratch, "file");
    for (const mask of [0o000, 0o022, 0o777]) {
      withUmask(mask, () => replaceFileSync(path, `mask ${mask}`));
      expect(fs.readFileSync(path, "utf8")).toBe(`mask ${mask}`);
      expect(modeOf(path)).toBe("600");
    }
    await replaceFile(path, new Uint8Array([65, 66]), { mode: 0o400 });
    expect(fs.readFileSync(path, "utf8")).toBe("AB");
    expect(modeOf(path)).toBe("400");
    expect(fs.readdirSync(scratch)).toEqual(["file"]);
  });

  test.each(["symlink", "hard link", "directory", "fifo"])(
    "refuses a %s at the place, target untouched",
    async (kind) => {
      const path = join(scratch, "place");
      const target = join(scratch, "target");
      fs.writeFileSync(target, "precious");
      if (kind === "symlink") fs.symlinkSync(target, path);
      if (kind === "hard link") fs.linkSync(target, path);
      if (kind === "directory") fs.mkdirSync(path);
      if (kind === "fifo") execFileSync("mkfifo", [path]);
      const before = fs.readdirSync(scratch);
      await expect(replaceFile(path, "new")).rejects.toMatchObject({ code: "UNSAFE_PATH" });
      expect(() => replaceFileSync(path, "new")).toThrow(path);
      await expect(readIfPresent(path)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
      expect(fs.readFileSync(target, "utf8")).toBe("precious");
      expect(fs.readdirSync(scratch)).toEqual(before);
    },
  );

  test("names path and errno when the directory is missing", async () => {
    const path = join(scratch, "nowhere", "file");
    await expect(replaceFile(path, "x")).rejects.toMatchObject({ code: "IO_FAILED" });
    await expect(replaceFile(path, "x")).rejects.toThrow(`${path}: ENOENT`);
  });

  test.skipIf(!asRoot)("a full disk leaves the old content and no temp file (needs root: mounts a tmpfs)", async () => {
    const disk = join(scratch, "disk");
    fs.mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
    try {
      const path = join(disk, "file");
      await replaceFile(path, "old");
      await expect(replaceFile(path, Buffer.alloc(1_000_000))).rejects.toMatchObject({ code: "DISK_FULL" });
      expect(() => replaceFileSync(path, Buffer.alloc(1_000_000))).toThrow(`${path}: ENOSPC`);
      expect(fs.readFileSync(path, "utf8")).toBe("old");
      expect(fs.readdirSync(disk)).toEqual(["file"]);
      execFileSync("mount", ["-o", "remount,ro", disk]);
      await expect(replaceFile(path, "new")).rejects.toMatchObject({ code: "DISK_READ_ONLY" });
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

describe("readIfPresent", () => {
  test("returns the text, or undefined when nothing is there", async () => {
    const path = join(scratch, "file");
    expect(await readIfPresent(path)).toBeUndefined();
    fs.writeFileSync(path, "hällo");
    expect(await readIfPresent(path)).toBe("hällo");
  });

  test("refuses a device and a file of absurd size without reading it", async () => {
    await expect(readIfPresent("/dev/zero")).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    const path = join(scratch, "huge");
    fs.writeFileSync(path, "");
    fs.truncateSync(path, 1024 ** 4);
    await expect(readIfPresent(path)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
  });
});

describe("ensurePrivateDirectory", () => {
  test("creates it and its missing parents with mode 0700 under any umask, and accepts it again", () => {
    for (const mask of [0o000, 0o777]) {
      const path = join(scratch, `home-${mask}`, "a", "b");
      withUmask(mask, () => ensurePrivateDirectory(path));
      ensurePrivateDirectory(path);
      for (const each of [path, join(path, ".."), join(path, "..", "..")]) expect(modeOf(each)).toBe("700");
    }
  });

  test("never changes the mode of what it did not create", () => {
    const path = join(scratch, "mine");
    fs.mkdirSync(path, { mode: 0o755 });
    ensurePrivateDirectory(path);
    expect(modeOf(path)).toBe("755");
  });

  test("refuses a link, a file, and what others can write, naming path and mode", () => {
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
    expect(() => ensurePrivateDirectory(join(open, "below"))).toThrow(`${open}, which others can write (mode 0777)`);
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
});
