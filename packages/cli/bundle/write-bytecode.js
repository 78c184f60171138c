/**
 * Writes the bytecode of the bundle for this very Node, `dist/bytecode/<version>-<platform>-<architecture>/`. V8 compiles a function
 * at its first call: so commands are run once, in a home of their own, and what each file has been compiled to by then is kept.
 * Whatever goes wrong here costs only time later on, and never fails the build.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const dist = path.join(import.meta.dirname, "../dist");
const folder = path.join(dist, "bytecode", `${process.version}-${process.platform}-${process.arch}`);
const program = path.join(dist, "lockkeeper.cjs");
/** The quickest ones: the files that they load hold what they need and no more, since the size of bytecode is what it costs. */
const EVERYDAY = ["current", "url a", "port a", "list"];
const OTHERS = ["create b", "status a", "ports", "doctor", "top"];
const TIMEOUT_MS = 60_000;

const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-bytecode-"));
try {
  rmSync(path.join(dist, "bytecode"), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const made = run("create a");
  // Each begins with the bytecode of those before it, and so keeps theirs too.
  for (const command of EVERYDAY) keep(run(command), () => true);
  const kept = new Set(readdirSync(folder));
  for (const written of [made, ...OTHERS.map(run)]) keep(written, (name) => !kept.has(name));
} catch (error) {
  process.stderr.write(`no bytecode: ${error instanceof Error ? error.message : String(error)}\n`);
  rmSync(path.join(dist, "bytecode"), { recursive: true, force: true });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Returns a folder with what `command` has compiled. */
function run(command) {
  const written = path.join(scratch, command.replaceAll(" ", "-"));
  mkdirSync(written);
  const env = { PATH: process.env.PATH, HOME: scratch, LOCKKEEPER_HOME: path.join(scratch, "home") };
  const args = ["--require", path.join(import.meta.dirname, "recorder.cjs"), program, ...command.split(" ")];
  spawnSync(process.execPath, args, {
    env: { ...env, BYTECODE_FOLDER: written },
    stdio: "ignore",
    timeout: TIMEOUT_MS,
  });
  return written;
}

/** The command that has used most of a file has compiled most of it. */
function keep(written, isWanted) {
  for (const name of readdirSync(written).filter(isWanted)) {
    const [from, to] = [path.join(written, name), path.join(folder, name)];
    if (!existsSync(to) || statSync(from).size > statSync(to).size) copyFileSync(from, to);
  }
}
