/**
 * `pnpm watch [word...]`: builds when a source changes and runs the tests that the change can reach; with words, only test
 * files whose path contains one of them. Ends with Ctrl-C.
 *
 * Two programs: `tsc -b --watch` keeps the emitted packages fresh, and vitest follows the imports of each test. A test that
 * starts the command line as a process reaches it through no import: build and name such a test by hand.
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bin = (name) => path.join(root, "node_modules/.bin", name);
const programs = [
  [bin("tsc"), "-b", "--watch", "--preserveWatchOutput"],
  // The words come first: a word after `--changed` would be the commit to compare with.
  [bin("vitest"), "watch", ...process.argv.slice(2), "--changed"],
];
const children = programs.map(([command, ...args]) => spawn(command, args, { cwd: root, stdio: "inherit" }));
for (const child of children) {
  child.once("exit", () => {
    for (const other of children) other.kill();
  });
}
