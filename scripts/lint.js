/** Every check that reads the sources without running them. All of them run, so that one round shows every fault. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const checks = [
  [path.join(root, "node_modules/.bin/oxlint"), "--deny-warnings", "packages", "test", "scripts"],
  [process.execPath, "scripts/check-rooms.js"],
  [process.execPath, "scripts/check-dependencies.js"],
];

for (const [command, ...args] of checks) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) process.exitCode = 1;
}
