/**
 * Every check of the workspace: build, formatting, lint, tests. Prints `N passed, N failed` alone on its last line,
 * a check of the workspace counting like a test. Arguments are handed to vitest (`pnpm test test/cli`).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bin = (name) => path.join(root, "node_modules/.bin", name);
const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-test-"));
const report = path.join(scratch, "vitest.json");

let passed = 0;
let failed = 0;

function check(title, command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  const verdict = status === 0 ? "ok" : "FAILED";
  process.stdout.write(`${title}: ${verdict}\n`);
  return status === 0;
}

function count(ok) {
  if (ok) passed += 1;
  else failed += 1;
}

try {
  count(check("build", process.execPath, ["scripts/build.js"]));
  count(check("format", bin("prettier"), ["--check", "--log-level", "warn", "."]));
  count(check("lint", bin("oxlint"), ["--deny-warnings", "packages", "test", "scripts"]));
  count(check("rooms", process.execPath, ["scripts/check-rooms.js"]));
  const ok = check("tests", bin("vitest"), [
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ]);
  const result = JSON.parse(readFileSync(report, "utf8"));
  passed += result.numPassedTests;
  failed += result.numFailedTests;
  // A suite that could not be loaded, or an unhandled error, fails the run without failing a test.
  if (!ok && result.numFailedTests === 0) failed += 1;
} catch (error) {
  failed += 1;
  process.stdout.write(`the test run gave no report: ${error}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
