import * as fc from "fast-check";
import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseEnvFile, readEnvFile } from "../../src/environment/env-file.ts";

const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/);
const values = fc.string({ unit: "grapheme" }).filter((value) => !/[\r\n\0]/.test(value));

describe("parseEnvFile", () => {
  it("reads back whatever was written as NAME=value lines", () => {
    fc.assert(
      fc.property(fc.dictionary(names, values, { noNullPrototype: true }), (wanted) => {
        const text = Object.entries(wanted).map(([name, value]) => `${name}=${value}\n`);
        expect(parseEnvFile(text.join(""), "f")).toEqual(wanted);
      }),
    );
  });

  it("passes comments and blank lines over, and takes values as they stand", () => {
    const text = "# a comment\r\n\r\nA=1\r\nB= two words \nC='quoted' $HOME\nD=\nE=a=b\nA=2";
    expect(parseEnvFile(text, "f")).toEqual({ A: "2", B: " two words ", C: "'quoted' $HOME", D: "", E: "a=b" });
  });

  it("takes __proto__ for a name like any other", () => {
    expect(Object.entries(parseEnvFile("__proto__=x", "f"))).toEqual([["__proto__", "x"]]);
  });

  it.each(["=value", "export A=1", "1A=x", "hunter2-secret", "A=\0"])("names the line of %j, not its text", (line) => {
    const parse = (): unknown => parseEnvFile(`A=1\n${line}`, "/etc/api.env");
    expect(parse).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    expect(parse).toThrow("not a NAME=value line: /etc/api.env, line 2");
  });
});

describe("readEnvFile", () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "lockkeeper-env-file-"));
    file = path.join(folder, "api.env");
    await writeFile(file, "TOKEN=t\n", { mode: 0o600 });
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("reads a private file, through a link too", async () => {
    await symlink(file, path.join(folder, "link.env"));
    expect(await readEnvFile(file)).toEqual({ TOKEN: "t" });
    expect(await readEnvFile(path.join(folder, "link.env"))).toEqual({ TOKEN: "t" });
  });

  it.each([0o644, 0o640, 0o602])("refuses mode %o, naming it", async (mode) => {
    await chmod(file, mode);
    const shown = mode.toString(8).padStart(4, "0");
    await expect(readEnvFile(file)).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      message: `the env file is open to others: ${file} has mode ${shown}`,
    });
  });

  it("says that a missing file is missing", async () => {
    const gone = path.join(folder, "gone.env");
    await expect(readEnvFile(gone)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: `the env file is missing: ${gone}`,
    });
  });

  it("refuses a FIFO, a folder and a huge file at once", async () => {
    const fifo = path.join(folder, "fifo");
    execFileSync("mkfifo", ["-m", "600", fifo]);
    await expect(readEnvFile(fifo)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    await expect(readEnvFile(folder)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    await truncate(file, 1 << 30);
    await expect(readEnvFile(file)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
  });
});
