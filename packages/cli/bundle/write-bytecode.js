/**
 * Writes the bytecode of the bundle for this very Node, `dist/bytecode/<version>-<platform>-<architecture>/`. V8 compiles a function
 * at its first call: so commands are run once, in a home of their own, and what each file has been compiled to by then is kept.
 * Whatever goes wrong here costs only time later on, and never fails the build.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const dist = path.join(import.meta.dirname, "../dist");
const all = path.join(dist, "bytecode");
const folder = path.join(all, `${process.version}-${process.platform}-${process.arch}`);
const program = path.join(dist, "lockkeeper.cjs");
/** The quickest ones: the files that they load hold what they need and no more, since the size of bytecode is what it costs. */
const EVERYDAY = ["current", "url a", "port a", "list"];
const OTHERS = ["create b", "status a", "ports", "doctor"];
/**
 * Returns a program that runs the gateway and writes what it has compiled into the folder `written`. If nobody stops it, it
 * ends by itself, with the status of a program that must not be started again.
 */
const recordedGateway = (written) => `
  process.env.BYTECODE_FOLDER = ${JSON.stringify(written)};
  require(${JSON.stringify(path.join(import.meta.dirname, "recorder.cjs"))});
  setTimeout(() => process.exit(127), 120_000);
  require(${JSON.stringify(path.join(dist, "gateway.cjs"))});
`;
const READY_MS = 60_000;
const TIMEOUT_MS = 60_000;
/** The live view goes on until it is ended. */
const VIEW_MS = 1_500;

const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-bytecode-"));
const home = path.join(scratch, "home");
try {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  sweep();
  const made = call("create a");
  EVERYDAY.forEach((command) => keepAll(command));
  const kept = new Set(readdirSync(folder));
  /** A file that several of them load gets what each of them has compiled: a missing function costs more than a superfluous one. */
  const keepOthers = (written) => keep(written, (name) => !kept.has(name));
  keepOthers(made);
  for (const command of OTHERS) keepOthers(call(command));
  for (const written of [...(await viewThem()), ...keepOne()]) keepOthers(written);
} catch (error) {
  process.stderr.write(`no bytecode: ${error instanceof Error ? error.message : String(error)}\n`);
  rmSync(folder, { recursive: true, force: true });
} finally {
  // Whatever went wrong, no gateway outlives the build.
  if (existsSync(home)) run(program, ["down"], path.join(scratch, "down"));
  rmSync(scratch, { recursive: true, force: true });
}

/** Removes what other Nodes have made for files that are gone; what they have made for those of this bundle stays. */
function sweep() {
  const files = new Set(readdirSync(dist, { recursive: true }).map((file) => `${path.basename(file)}.bin`));
  for (const other of readdirSync(all)) {
    const names = readdirSync(path.join(all, other));
    const gone = names.filter((name) => !files.has(name));
    for (const name of gone) rmSync(path.join(all, other, name));
    if (gone.length === names.length && other !== path.basename(folder))
      rmSync(path.join(all, other), { recursive: true });
  }
}

/** Returns a folder with what `command` has compiled. */
function call(command, when = "") {
  return run(program, command.split(" "), path.join(scratch, `${command.replaceAll(" ", "-")}${when}`));
}

/** Keeps all that `command` has compiled. It begins with the bytecode that was kept before, and so keeps that too. */
function keepAll(command, when) {
  keep(call(command, when), () => true);
}

/** Returns the folder of a live view on a terminal that nobody looks at: one end of a pair is one by itself. Source: pts(4) */
async function viewThem() {
  if (!existsSync("/dev/ptmx")) return [];
  const terminal = openSync("/dev/ptmx", "r+");
  try {
    // Otherwise it echoes the first picture, and the view takes the letters for keys: one of them starts a gateway.
    const { status } = spawnSync("stty", ["-echo"], { stdio: [terminal, "ignore", "ignore"] });
    if (status !== 0) return [];
    const written = path.join(scratch, "view");
    const { args, options } = recorded(program, ["top"], written);
    const view = spawn(process.execPath, args, { ...options, stdio: [terminal, terminal, "ignore"] });
    const ending = setTimeout(() => view.kill("SIGTERM"), VIEW_MS);
    // Nobody reads what it draws. When the terminal is full, the view blocks and does not handle the first signal.
    const killing = setTimeout(() => view.kill("SIGKILL"), TIMEOUT_MS);
    try {
      await once(view, "close");
    } finally {
      for (const timer of [ending, killing]) clearTimeout(timer);
    }
    return [written];
  } finally {
    closeSync(terminal);
  }
}

/** Returns the folders of a keeper and its gateway, from their start to their end, and of the commands that act on them. */
function keepOne() {
  const gateway = path.join(scratch, "gateway.cjs");
  const served = path.join(scratch, "served");
  mkdirSync(served);
  writeFileSync(gateway, recordedGateway(served));
  run(program, ["create", "kept", "--health", "/healthz", "--", process.execPath, gateway], path.join(scratch, "made"));
  const order = [
    "--home",
    home,
    "--profile",
    "kept",
    "--gateway",
    path.join(dist, "gateway.cjs"),
    "--started-by",
    "a build",
  ];
  const keeper = path.join(scratch, "keeper");
  const { args, options } = recorded(path.join(dist, "keeper.cjs"), order, keeper);
  const running = spawn(process.execPath, args, options);
  running.unref();
  if (!isReady(path.join(home, "run/kept.json"))) {
    running.kill("SIGTERM");
    process.stderr.write(`no bytecode of a keeper: its gateway was not ready after ${READY_MS} ms\n`);
    return [];
  }
  // The everyday files also get what they need where a gateway runs.
  for (const command of ["list", "status kept"]) keepAll(command, "-kept");
  // On return the keeper has ended too.
  run(program, ["stop", "kept"], path.join(scratch, "ended"));
  const start = call("start kept");
  return [keeper, served, start, call("stop kept"), ...keepInForeground()];
}

/** Returns the folder of a keeper that is part of the command line. */
function keepInForeground() {
  const written = path.join(scratch, "foreground");
  const { args, options } = recorded(program, ["run", "kept"], written);
  const running = spawn(process.execPath, args, options);
  running.unref();
  const ready = isReady(path.join(home, "run/kept.json"));
  run(program, ["stop", "kept"], path.join(scratch, "ended-foreground"));
  return ready ? [written] : [];
}

/** Waits until the keeper has published that its gateway runs. */
function isReady(record) {
  const until = performance.now() + READY_MS;
  while (performance.now() < until) {
    if (existsSync(record) && readFileSync(record, "utf8").includes('"running"')) return true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  return false;
}

/** Returns `written`, a folder with what the program has compiled. */
function run(file, words, written) {
  const { args, options } = recorded(file, words, written);
  spawnSync(process.execPath, args, { ...options, timeout: TIMEOUT_MS });
  return written;
}

function recorded(file, words, written) {
  mkdirSync(written);
  return {
    args: ["--require", path.join(import.meta.dirname, "recorder.cjs"), file, ...words],
    options: {
      env: { PATH: process.env.PATH, HOME: scratch, LOCKKEEPER_HOME: home, BYTECODE_FOLDER: written },
      stdio: "ignore",
    },
  };
}

/** The command that has used most of a file has compiled most of it. */
function keep(written, isWanted) {
  for (const name of readdirSync(written).filter(isWanted)) {
    const [from, to] = [path.join(written, name), path.join(folder, name)];
    if (!existsSync(to) || statSync(from).size > statSync(to).size) copyFileSync(from, to);
  }
}
