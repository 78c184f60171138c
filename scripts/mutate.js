/**
 * `pnpm mutate`: changes the pure rooms one small step at a time (StrykerJS) and counts how many changes no test notices. Takes
 * several minutes. The runner is installed into node_modules/.cache when it is first used: nothing else needs it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const tools = path.join(root, "node_modules/.cache/mutation");
const VERSION = "9.6.1";
/** TypeScript of a release whose programming interface Stryker knows; the workspace's own has none. */
const packages = [
  `@stryker-mutator/core@${VERSION}`,
  `@stryker-mutator/vitest-runner@${VERSION}`,
  "vitest@4.1.12",
  "typescript@5.9.3",
];

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(path.join(tools, "node_modules/@stryker-mutator/core"))) {
  mkdirSync(tools, { recursive: true });
  writeFileSync(path.join(tools, "package.json"), '{"private":true}\n');
  run("npm", ["install", "--prefix", tools, "--no-audit", "--no-fund", "--save-exact", ...packages]);
}
run(process.execPath, ["scripts/build.js"]);
const config = path.join(root, "test/mutation/stryker.config.json");
run(process.execPath, [
  path.join(tools, "node_modules/@stryker-mutator/core/bin/stryker.js"),
  "run",
  config,
  ...process.argv.slice(2),
]);
