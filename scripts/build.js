/**
 * Builds the workspace: type check and emit (tsc), then the command line's one bundle (rolldown), then its bytecode.
 * Does nothing when no source has changed since the last whole build. Two builds at once take turns under a kernel lock.
 */
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const product = path.join(root, "packages/cli/dist/lockkeeper.cjs");
/** Written after a whole build; its time is the time at which that build began. */
const stamp = path.join(root, "node_modules/.lockkeeper-build");
const INPUTS = ["packages", "test", "tsconfig.base.json", "tsconfig.json", "pnpm-lock.yaml", "scripts/build.js"];
const GENERATED = new Set(["node_modules", "dist", "build"]);

/** The newest modification among the inputs; a changed folder counts, so a deleted file is seen too. */
function newest(file) {
  const stats = statSync(file);
  if (!stats.isDirectory()) return stats.mtimeMs;
  let latest = 0;
  for (const entry of readdirSync(file, { withFileTypes: true })) {
    if (GENERATED.has(entry.name)) continue;
    if (entry.isDirectory() || /\.(ts|js|json|cjs)$/.test(entry.name)) {
      latest = Math.max(latest, newest(path.join(file, entry.name)));
    }
  }
  return latest;
}

function isFresh() {
  const built = statSync(stamp, { throwIfNoEntry: false });
  return (
    existsSync(product) &&
    built !== undefined &&
    built.mtimeMs >= Math.max(...INPUTS.map((input) => newest(path.join(root, input))))
  );
}

/** Where a tool's own stdout goes: to stderr, since `pnpm lockkeeper list --json` needs stdout for its document. */
function run(bin, args, stdout = 2) {
  const program = bin === "node" ? process.execPath : path.join(root, "node_modules/.bin", bin);
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", stdout, 2],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

if (!isFresh()) {
  const { waitForLock } = createRequire(path.join(root, "packages/core/package.json"))("fs-native-extensions");
  const turn = openSync(path.join(root, "node_modules/.build.lock"), "a");
  try {
    await waitForLock(turn);
    if (!isFresh()) {
      process.stderr.write("building...\n");
      const begun = new Date();
      run("tsc", ["-b"]);
      // Its list of a hundred chunks tells nobody anything; warnings and errors go to stderr.
      run("rolldown", ["-c", "packages/cli/rolldown.config.js", "--log-level", "warn"], "ignore");
      run("node", [path.join(root, "packages/cli/bundle/write-bytecode.js")]);
      writeFileSync(stamp, "");
      // A source that was changed while it was being built is not in the product.
      utimesSync(stamp, begun, begun);
    }
  } finally {
    closeSync(turn);
  }
}
