/** Runs the command line from the checkout, in the folder it was called from, building first when a source changed. */
import { spawn, spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const build = spawnSync(process.execPath, [path.join(root, "scripts/build.js")], { stdio: ["ignore", 2, 2] });
if (build.status !== 0) process.exit(build.status ?? 1);

// pnpm runs scripts in the workspace's root and says in INIT_CWD where it was called.
// Behind `--`, or Node 20 takes an `--env-file` among the arguments for its own.
const entry = ["--", path.join(root, "packages/cli/bin/lockkeeper.js")];
const child = spawn(process.execPath, [...entry, ...process.argv.slice(2)], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
  stdio: "inherit",
});
// A terminal signals the whole group; a service manager signals only us, so pass it on and let the child decide.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
