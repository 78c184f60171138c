import { execFileSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { replaceFile } from "../../src/storage/durable-file.ts";
import { readIfPresentSync } from "../../src/storage/small-file.ts";

/** The errno with which every fsync of a directory fails; undefined calls the real one. */
const faults = vi.hoisted(() => ({ directoryErrno: undefined as string | undefined }));
vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  const fsync = (fd: number, done: (error: Error | null) => void): void => {
    const errno = real.fstatSync(fd).isDirectory() ? faults.directoryErrno : undefined;
    if (errno === undefined) real.fsync(fd, done);
    else done(Object.assign(new Error(errno), { code: errno }));
  };
  return { ...real, fsync };
});

let scratch = "";
beforeEach(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "durable-"));
});
afterEach(() => fs.rmSync(scratch, { recursive: true, force: true }));

const asRoot = process.geteuid?.() === 0;
const modeOf = (path: string): string => (fs.lstatSync(path).mode & 0o7777).toString(8);

describe("replaceFile", () => {
  test("security 7, 12: holds the new content with mode 0600 under any umask, and leaves no temp file", async () => {
    const path = join(scratch, "file");
    for (const mask of [0o000, 0o022, 0o777]) {
      const before = process.umask(mask);
      await replaceFile(path, `mask ${mask}`).finally(() => process.umask(before));
      expect(fs.readFileSync(path, "utf8")).toBe(`mask ${mask}`);
      expect(modeOf(path)).toBe("600");
    }
    await replaceFile(path, new Uint8Array([65, 66]));
    expect(fs.readFileSync(path, "utf8")).toBe("AB");
    expect(fs.readdirSync(scratch)).toEqual(["file"]);
  });

  test.each(["symlink", "hard link", "directory", "fifo"])(
    "security 8: refuses a %s in its place, target untouched",
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
      await expect(replaceFile(path, "new")).rejects.toThrow(path);
      expect(() => readIfPresentSync(path)).toThrow(expect.objectContaining({ code: "UNSAFE_PATH" }));
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
      await expect(replaceFile(path, Buffer.alloc(1_000_000))).rejects.toThrow(`${path}: ENOSPC`);
      expect(fs.readFileSync(path, "utf8")).toBe("old");
      expect(fs.readdirSync(disk)).toEqual(["file"]);
      execFileSync("mount", ["-o", "remount,ro", disk]);
      await expect(replaceFile(path, "new")).rejects.toMatchObject({ code: "DISK_READ_ONLY" });
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

describe("a disk that does not confirm", () => {
  afterEach(() => {
    faults.directoryErrno = undefined;
  });

  test("a failed fsync of the directory is distinguished from a file that was not replaced", async () => {
    const path = join(scratch, "file");
    fs.writeFileSync(path, "old");
    faults.directoryErrno = "EIO";
    await expect(replaceFile(path, "new")).rejects.toMatchObject({ code: "NOT_DURABLE" });
    expect(fs.readFileSync(path, "utf8")).toBe("new");
    await expect(replaceFile(join(scratch, "none", "file"), "x")).rejects.toMatchObject({ code: "IO_FAILED" });
    const warning = once(process, "warning") as Promise<[Error]>;
    await replaceFile(path, "newer", { unconfirmed: "warn" });
    expect((await warning)[0]).toMatchObject({ name: "LockkeeperWarning", code: "NOT_DURABLE" });
    expect(fs.readdirSync(scratch)).toEqual(["file"]);
  });

  test.each(["EINVAL", "ENOTSUP"])(
    "a file system without fsync of directories (%s) is used without it",
    async (errno) => {
      faults.directoryErrno = errno;
      await replaceFile(join(scratch, "file"), "new");
      expect(fs.readFileSync(join(scratch, "file"), "utf8")).toBe("new");
    },
  );
});
