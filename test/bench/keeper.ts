/**
 * What it costs to have a gateway kept: start to ready against a bare ws server's start, and, over a minute of doing
 * nothing, the keeper's computing time and both processes' memory against their floors. Linux: figures from /proc.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const ROUNDS = 9;
const IDLE_MS = 60_000;

/** Plain JavaScript, so it lies beside the sources and not in the build. */
const bareServer = fileURLToPath(new URL("../../bench/bare-ws-server.js", import.meta.url));

/** Measures and prints a table; takes about 75 seconds. */
export async function run(): Promise<void> {
  await withScratchHome(async ({ home, run: cli, json }) => {
    await json(["create", "dev"]);
    const starts: number[] = [];
    const bareStarts: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      starts.push(timeStart(home));
      await cli(["stop", "dev"]);
      const { server, tookMs } = await startBareServer();
      bareStarts.push(tookMs);
      await end(server);
    }
    const floorMs = median(bareStarts);
    row("bare ws server, start to first answer", `${floorMs.toFixed(0)} ms`, 1);
    row("lockkeeper start, to ready", `${median(starts).toFixed(0)} ms`, median(starts) / floorMs, 2.75);

    await json(["start", "dev"]);
    const { pid, keeperPid } = (await json(["status", "dev"])) as { pid: number; keeperPid: number };
    const idle = spawn(process.execPath, ["-e", "setInterval(() => undefined, 2 ** 30)"], { stdio: "ignore" });
    const { server } = await startBareServer();
    const ticksBefore = cpuTicks(keeperPid);
    await delay(IDLE_MS);
    const busyMs = (cpuTicks(keeperPid) - ticksBefore) * 10;
    process.stdout.write(`${"keeper, computing in a minute".padEnd(40)} ${`${busyMs} ms`.padStart(9)}\n`);
    row("bare idle node, memory", mebibytes(residentKiB(idle.pid)), 1);
    row("keeper, memory", mebibytes(residentKiB(keeperPid)), residentKiB(keeperPid) / residentKiB(idle.pid), 1.1);
    row("bare ws server, memory", mebibytes(residentKiB(server.pid)), 1);
    row("built-in gateway, memory", mebibytes(residentKiB(pid)), residentKiB(pid) / residentKiB(server.pid), 1.25);
    await Promise.all([end(idle), end(server)]);
  });
}

function timeStart(home: string): number {
  const from = performance.now();
  const { status } = spawnSync(process.execPath, [CLI_ENTRY, "start", "dev"], {
    env: bareEnvironment(home),
    stdio: "ignore",
  });
  if (status !== 0) throw new Error(`lockkeeper start dev: exit ${status}`);
  return performance.now() - from;
}

async function startBareServer(): Promise<{ readonly server: ChildProcess; readonly tookMs: number }> {
  const from = performance.now();
  const server = spawn(process.execPath, [bareServer], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(server.stdout, "data")) as [Buffer];
  const client = new WebSocket(`ws://127.0.0.1:${Number(port.toString())}`);
  await once(client, "open");
  const tookMs = performance.now() - from;
  client.terminate();
  return { server, tookMs };
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** User and system time in clock ticks of 10 ms. Source: proc_pid_stat(5), fields 14 and 15. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function residentKiB(pid: number | undefined): number {
  return Number(/^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
}

function mebibytes(kibibytes: number): string {
  return `${(kibibytes / 1_024).toFixed(1)} MiB`;
}

function row(title: string, figure: string, ratio: number, target?: number): void {
  const aim = target === undefined ? "" : ` (target <= ${target.toFixed(2)})`;
  process.stdout.write(`${title.padEnd(40)} ${figure.padStart(9)}  ${ratio.toFixed(2)}${aim}\n`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
