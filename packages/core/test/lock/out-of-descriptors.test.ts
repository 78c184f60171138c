/**
 * A process that cannot open more files: whichever step of acquire fails, the error is ours and nothing is left behind.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-descriptors-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** Fills the table of descriptors, and tries with `spare` of them free; prints the result of each try. */
const PROGRAM = `
  import { closeSync, openSync } from "node:fs";
  import { acquireGatewayLock } from "@lockkeeper/core";
  const options = { lockDir: process.argv[1], configPath: process.argv[2] };
  await (await acquireGatewayLock(options)).release();
  const taken = [];
  try { for (;;) taken.push(openSync("/dev/null")); } catch {}
  const said = [];
  for (let spare = 0; spare < 6; spare += 1) {
    const outcome = await acquireGatewayLock(options).then((lock) => lock.release(), (error) => error);
    said.push(outcome instanceof Error ? [outcome.name, outcome.code, outcome.hint, outcome.message] : "acquired");
    closeSync(taken.pop());
  }
  process.stdout.write(JSON.stringify(said));`;

test("names path, errno and a remedy, and leaves no lock behind", () => {
  const lockDir = join(home, "lock");
  const script = 'ulimit -n 128; exec "$0" --input-type=module -e "$1" -- "$2" "$3"';
  const output = execFileSync("/bin/sh", ["-c", script, process.execPath, PROGRAM, lockDir, join(home, "config")], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  const said = JSON.parse(output) as readonly unknown[];
  const refusal = ["LockkeeperError", "IO_FAILED", expect.stringContaining("ulimit"), expect.stringContaining(lockDir)];
  const refused = said.filter((outcome) => outcome !== "acquired");
  expect(refused.length).toBeGreaterThan(1);
  expect(refused).toEqual(refused.map(() => refusal));
  expect(said.at(-1)).toBe("acquired");
  expect(readdirSync(lockDir)).toEqual([]);
});

/** As above, with an owner whose file is deleted before each try: only the kernel's list shows the owner. */
const SECOND_OWNER = `
  import { closeSync, openSync, rmSync } from "node:fs";
  import { acquireGatewayLock } from "@lockkeeper/core";
  const options = { lockDir: process.argv[1], configPath: process.argv[2] };
  const owner = await acquireGatewayLock(options);
  const taken = [];
  try { for (;;) taken.push(openSync("/dev/null")); } catch {}
  const said = [];
  for (let spare = 0; spare < 8; spare += 1) {
    rmSync(owner.path, { force: true });
    said.push(await acquireGatewayLock({ ...options, timeoutMs: 0 }).then(() => "acquired", ({ code }) => code));
    closeSync(taken.pop());
  }
  process.stdout.write(JSON.stringify(said));
  process.exit();`;

test("is not told that it is alone, because it cannot look", () => {
  const script = 'ulimit -n 128; exec "$0" --input-type=module -e "$1" -- "$2" "$3"';
  const args = ["-c", script, process.execPath, SECOND_OWNER, join(home, "lock"), join(home, "config")];
  const said = JSON.parse(execFileSync("/bin/sh", args, { cwd: import.meta.dirname, encoding: "utf8" })) as unknown[];
  expect(said).not.toContain("acquired");
  expect(said.at(-1)).toBe("LOCK_HELD");
});
