/**
 * Every check of the workspace: build, formatting, lint, tests. Names each test that was skipped. Prints `N passed, N failed`
 * alone on its last line, a check of the workspace counting like a test. With arguments (`pnpm test restart-policy`, `pnpm test test/cli`) it
 * runs only the test files whose path contains one of them, after a build where a source changed: no formatting, no lint.
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
const chosen = process.argv.slice(2);

let passed = 0;
let failed = 0;

function check(title, command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  process.stdout.write(`${title}: ${status === 0 ? "ok" : "FAILED"}\n`);
  return status === 0;
}

function count(ok) {
  if (ok) passed += 1;
  else failed += 1;
}

try {
  count(check("build", process.execPath, ["scripts/build.js"]));
  if (chosen.length === 0) {
    count(check("format", bin("prettier"), ["--check", "--cache", "--log-level", "warn", "."]));
    count(check("lint", process.execPath, ["scripts/lint.js"]));
  }
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const ok = check("tests", bin("vitest"), ["run", ...reporters, ...chosen]);
  const result = JSON.parse(readFileSync(report, "utf8"));
  passed += result.numPassedTests;
  failed += result.numFailedTests;
  for (const { fullName, status, failureMessages } of result.testResults.flatMap((file) => file.assertionResults)) {
    if (status === "passed" && failureMessages.length > 0) {
      process.stdout.write(`passed at the second attempt: ${fullName}: ${failureMessages[0].split("\n")[0]}\n`);
    }
    if (status === "skipped") process.stdout.write(`skipped: ${fullName}\n`);
  }
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
