/** A keeper has the whole text of the gateway's program, also where that is behind a loader, and after its removal. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readKeptProgram } from "@lockkeeper/core/internal";
import { CLI_ENTRY } from "../../../../test/harness/cli.ts";
import { keepProgram } from "../../src/run/keep-program.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-kept-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function kept(file: string): string | undefined {
  const found = keepProgram(file);
  if (found === undefined) return undefined;
  expect(found.path).toBe(file);
  try {
    return Buffer.from(readKeptProgram(found)).toString();
  } finally {
    closeSync(found.fd);
  }
}

/** Runs the text as a keeper does when the file is gone. */
function runText(text: string | undefined): string {
  const env = { PATH: process.env["PATH"] };
  return spawnSync(process.execPath, ["-"], { cwd: folder, env, input: text, encoding: "utf8" }).stdout;
}

test("of the bundle it is the one file that the loader loads, which needs no other and runs by itself", () => {
  const loader = path.join(path.dirname(CLI_ENTRY), "gateway.cjs");
  const files = readdirSync(path.join(path.dirname(CLI_ENTRY), "gateway")).filter((name) => name.endsWith(".cjs"));
  expect(files).toHaveLength(1);
  const text = kept(loader);
  const asked = [...(text ?? "").matchAll(/require\(["'`]([^"'`]+)["'`]\)/g)].map(([, id = ""]) => id);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((id) => /^[./]/.test(id))).toEqual([]);
  expect(runText(text)).toContain("this program is started by a keeper");
});

test("a file that the loader does not name is not taken for it", () => {
  const loader = path.join(folder, "gateway.cjs");
  mkdirSync(path.join(folder, "gateway"));
  for (const name of ["old", "new"]) {
    writeFileSync(path.join(folder, "gateway", `gateway-${name}.cjs`), `require("fs").writeSync(1, "${name}");`);
  }
  writeFileSync(loader, 'load("gateway", "gateway-new.cjs");');
  expect(runText(kept(loader))).toBe("new");
  writeFileSync(loader, "a whole program");
  expect(kept(loader)).toBe("a whole program");
});

test("a program without such a folder is its own text, and a missing one is none", () => {
  const program = path.join(folder, "gateway.js");
  expect(kept(program)).toBeUndefined();
  writeFileSync(program, "a whole program");
  expect(kept(program)).toBe("a whole program");
});

test("a program that was removed is read as often as it is needed", () => {
  const program = path.join(folder, "gateway.js");
  writeFileSync(program, "a whole program");
  const found = keepProgram(program);
  rmSync(program);
  expect(found).toBeDefined();
  if (found === undefined) return;
  for (let start = 0; start < 3; start += 1) {
    expect(Buffer.from(readKeptProgram(found)).toString()).toBe("a whole program");
  }
  closeSync(found.fd);
});
