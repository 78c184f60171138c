import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { freePort } from "../harness/ports.ts";

const folderOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const page = readFileSync(folderOf("../../docs/lock.md"), "utf8");

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-example-"));
  vi.stubEnv("HOME", home);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

function example(language: string): string {
  const code = page.split(`\`\`\`${language}\n`)[1]?.split("```")[0];
  if (code === undefined) throw new Error(`docs/lock.md has no ${language} example`);
  return code;
}

describe("the examples of docs/lock.md", () => {
  test("in plain JavaScript owns, serves and releases", async () => {
    const port = await freePort();
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", example("js")], {
      cwd: folderOf(".."),
      env: { ...process.env, HOME: home, PORT: String(port) },
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^serving as \d+\n$/);
    expect(readdirSync(join(home, ".my-gateway", "lock"))).toEqual([]);
  });

  test("with await using does the same", async () => {
    expect(example("ts")).toBe(readFileSync(folderOf("examples/await-using.ts"), "utf8"));
    // It reads the home when it is loaded.
    const { main } = await import("./examples/await-using.ts");
    const lockDir = join(home, ".my-gateway", "lock");
    await main(async (lost) => {
      expect(lost.aborted).toBe(false);
      expect(readdirSync(lockDir)).not.toEqual([]);
    });
    await expect(main(() => Promise.reject(new RangeError("of serve")))).rejects.toThrow(RangeError);
    expect(readdirSync(lockDir)).toEqual([]);
  });
});
