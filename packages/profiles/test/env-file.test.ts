import { LockkeeperError } from "@lockkeeper/core";
import * as fc from "fast-check";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { chmod, chown, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseEnvFile, readEnvFile } from "../src/env-file.ts";

const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/);
const values = fc.string({ unit: "grapheme" }).filter((value) => !/[\r\n\0]/.test(value));
const quoted = (value: string): string => `"${value.replaceAll(/["\\$`]/g, "\\$&")}"`;

describe("parseEnvFile", () => {
  test("reads back any value that was written in quotes", () => {
    fc.assert(
      fc.property(fc.dictionary(names, values, { noNullPrototype: true }), (wanted) => {
        const text = Object.entries(wanted).map(([name, value]) => `${name}=${quoted(value)}\n`);
        expect(parseEnvFile(text.join(""), "f")).toEqual(wanted);
      }),
    );
  });

  test.each([
    ["A=1\r\n\r\n# comment\r\nA=2", { A: "2" }],
    ["\uFEFF# comment\nA=1", { A: "1" }],
    ["\uFEFFA=1", { A: "1" }],
    ["export A=1\nexport\tB=2\nexport \t C=export D", { A: "1", B: "2", C: "export D" }],
    ["A=export D\nexportB=1", { A: "export D", exportB: "1" }],
    ["A=\uFEFFx\nB=x \t \nC=\t", { A: "\uFEFFx", B: "x", C: "" }],
    ["A='\\$x \\\" \\\\'", { A: '\\$x \\" \\\\' }],
    ["  # indented\n\t#\n \nA=1", { A: "1" }],
    ["A=\"sk-test-123\"\nB='two words'", { A: "sk-test-123", B: "two words" }],
    ["A=\"\"\nB=''\nC=", { A: "", B: "", C: "" }],
    ['A=\'"inner"\'\nB="it\'s"', { A: '"inner"', B: "it's" }],
    ['A="a \\" b \\\\ \\$ \\` \\n"\nB=\'a\\b\'', { A: 'a " b \\ $ ` \\n', B: "a\\b" }],
    [
      "A=1 # comment\nB=a#b\nC=#d\nD= # nothing\nE='a # b' # c\nF=1\t#x",
      { A: "1", B: "a#b", C: "#d", D: "", E: "a # b", F: "1" },
    ],
    [
      'A=two words \nB=$HOME ${X}\nC=a=b\nD=it\'s\nE={"a":1}',
      { A: "two words", B: "$HOME ${X}", C: "a=b", D: "it's", E: '{"a":1}' },
    ],
  ])("%j", (text, wanted) => expect(parseEnvFile(text, "f")).toEqual(wanted));

  test.each([
    ["A = 1", "there is a blank before the ="],
    ["A= 1", "there is a blank after the ="],
    [" A=1", "there is a blank before the name"],
    ["A", "there is no ="],
    ["export A", "export stands alone, without a value"],
    ["1A=x", "the name is not letters, digits and underscores"],
    ["=x", "the name is not letters, digits and underscores"],
    ["set A=1", "the name is not letters, digits and underscores"],
    ['A="open', "the quote is not closed on the same line"],
    ['A="open\\"', "the quote is not closed on the same line"],
    ["A='a'b", "there is text behind the closing quote"],
    ["A='a'#b", "there is text behind the closing quote"],
    ['A="{"a":1}"', "there is text behind the closing quote"],
    ["A=\0", "there is a zero byte in the value"],
  ])("%j is refused with its cause", (line, cause) => {
    const parse = (): unknown => parseEnvFile(`B=1\n${line}`, "/etc/api.env");
    expect(parse).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    expect(parse).toThrow(`not a NAME=value line: /etc/api.env, line 2: ${cause}`);
  });

  test("spends no more time on blanks than on letters", () => {
    expect(parseEnvFile(`A=x${" ".repeat(120_000)}y`, "f")["A"]).toHaveLength(120_002);
  });

  test("treats __proto__ as a name like any other", () => {
    expect(Object.entries(parseEnvFile("__proto__=x", "f"))).toEqual([["__proto__", "x"]]);
  });

  test("never shows the text of a line, which may be a secret", () => {
    for (const line of ["hunter2", "hunter2 = x", "A='hunter2", "A='hunter2' hunter2", "export hunter2"]) {
      expect(() => parseEnvFile(line, "f")).toThrow(
        expect.objectContaining({ message: expect.not.stringMatching(/hunter2/) }),
      );
    }
  });
});

/** Returns the hint of the error for a file of that name with that content. */
async function hintOf(folder: string, name: string, content?: string | Buffer): Promise<string> {
  const file = path.join(folder, name);
  if (content !== undefined) await writeFile(file, content, { mode: 0o600 });
  const error: unknown = await readEnvFile(file).catch((thrown: unknown) => thrown);
  return error instanceof LockkeeperError ? (error.hint ?? "") : "";
}

describe("readEnvFile", () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "lockkeeper-env-file-"));
    file = path.join(folder, "api.env");
    await writeFile(file, "TOKEN=t\n", { mode: 0o600 });
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("reads a private file, through a link too", async () => {
    await symlink(file, path.join(folder, "link.env"));
    expect(await readEnvFile(file)).toEqual({ TOKEN: "t" });
    expect(await readEnvFile(path.join(folder, "link.env"))).toEqual({ TOKEN: "t" });
  });

  test.each([0o644, 0o640, 0o602])("refuses mode %o, naming it", async (mode) => {
    await chmod(file, mode);
    const shown = mode.toString(8).padStart(4, "0");
    await expect(readEnvFile(file)).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      message: `unsafe path: ${file} is open to others (mode ${shown})`,
      hint: expect.stringContaining(`chmod 600 ${file}`),
    });
  });

  test("refuses a file that is not UTF-8", async () => {
    await writeFile(file, Buffer.from("\uFEFFA=1", "utf16le"));
    await expect(readEnvFile(file)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: `the env file is not UTF-8 text: ${file}`,
    });
  });

  test("says that a missing file is missing", async () => {
    const gone = path.join(folder, "gone.env");
    await expect(readEnvFile(gone)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: `the env file is missing: ${gone}`,
    });
  });

  test("refuses a FIFO, a folder and a huge file at once", async () => {
    const fifo = path.join(folder, "fifo");
    execFileSync("mkfifo", ["-m", "600", fifo]);
    await expect(readEnvFile(fifo)).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      message: expect.stringContaining(`${fifo} is not a plain file`),
    });
    await expect(readEnvFile(folder)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    await truncate(file, 1 << 30);
    await expect(readEnvFile(file)).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      message: expect.stringContaining("(1073741824 bytes)"),
    });
  });

  test("gives a remedy, whatever is wrong", async () => {
    const hints = [
      await hintOf(folder, "missing.env"),
      await hintOf(folder, "."),
      await hintOf(folder, "latin1.env", Buffer.from([0xe9])),
      await hintOf(folder, "large.env", "#".repeat(200_000)),
      await hintOf(folder, "line.env", "no line"),
    ];
    expect(hints).toEqual(hints.map(() => expect.stringMatching(/^[A-Z].*\.$/)));
    expect(new Set(hints).size).toBe(hints.length);
  });

  test("reads 128 KiB, and not a byte more", async () => {
    await writeFile(file, `A=${"x".repeat(128 * 1024 - 2)}`);
    expect((await readEnvFile(file))["A"]).toHaveLength(128 * 1024 - 2);
    await writeFile(file, `A=${"x".repeat(128 * 1024 - 1)}`);
    await expect(readEnvFile(file)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
  });

  test("reports a path that cannot be opened with its errno, and not as a missing file", async () => {
    await expect(readEnvFile(path.join(file, "beyond"))).rejects.toMatchObject({
      code: "IO_FAILED",
      message: expect.stringMatching(/read the env file.*ENOTDIR/),
    });
  });

  test.runIf(process.platform === "linux")("reports a read that fails with its errno", async () => {
    // A plain file with mode 0600 that the kernel lets us open; there is nothing at its first address.
    await expect(readEnvFile("/proc/self/mem")).rejects.toMatchObject({
      code: "IO_FAILED",
      message: expect.stringMatching(/read the env file.*EIO/),
    });
  });

  test.runIf(process.geteuid?.() === 0)(
    "accepts the user's own file and root's, and no other user's (needs root)",
    async () => {
      const user = vi.spyOn(process as Required<typeof process>, "geteuid").mockReturnValue(1_000);
      try {
        expect(await readEnvFile(file)).toEqual({ TOKEN: "t" });
        await chown(file, 1_000, 0);
        expect(await readEnvFile(file)).toEqual({ TOKEN: "t" });
        await chown(file, 1_001, 0);
        await expect(readEnvFile(file)).rejects.toMatchObject({
          code: "UNSAFE_PATH",
          message: expect.stringContaining("another user (uid 1001)"),
          hint: "Use an env file of your own.",
        });
      } finally {
        user.mockRestore();
      }
    },
  );

  test.runIf(process.platform === "linux")("closes the file, whatever it finds in it", async () => {
    await readEnvFile(file);
    await writeFile(file, "no line");
    await expect(readEnvFile(file)).rejects.toThrow();
    await chmod(file, 0o644);
    await expect(readEnvFile(file)).rejects.toThrow();
    const descriptors = readdirSync("/proc/self/fd").map((fd) => `/proc/self/fd/${fd}`);
    // The list itself is read through a descriptor that is closed by now.
    const paths = descriptors.filter((fd) => existsSync(fd)).map((fd) => readlinkSync(fd));
    expect(paths.filter((each) => each === file)).toEqual([]);
  });
});
