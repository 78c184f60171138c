/** What it costs to look at gateways that run, to start and to stop many, and to have one kept. Linux: figures from /proc. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { bareEnvironment, CLI_ENTRY } from "../../harness/cli.ts";
import { computingMs, privateKiB } from "../measure/memory.ts";
import { median, scatter } from "../measure/statistics.ts";
import { rowsOf } from "../measure/table.ts";
import type { Row } from "../measure/table.ts";
import { FLOOR, nodeFloor, ourCommand, takeTurns } from "../measure/turns.ts";
import type { Contestant } from "../measure/turns.ts";
import type { Bench, Section } from "./section.ts";

const IDLE = "setInterval(() => undefined, 2 ** 30)";
/** Starts and stops of many take seconds each. */
const FLEET_ROUNDS = 3;
const SETTLED_AFTER_MS = 3_000;

/** Measures on a home whose gateways all run; it is taken down afterwards. */
export async function measure({ folder, rounds, quick, nodes }: Bench): Promise<readonly Section[]> {
  const [node = process.execPath] = nodes;
  const count = quick ? 5 : 20;
  const home = path.join(folder, "running");
  const names = Array.from({ length: count }, (_, index) => `r${index}`);
  for (const name of names) call(node, home, ["create", name]);
  const bare = await bareStarts(node, count);
  const fleet: Row[] = [];
  const [ups, downs]: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round < (quick ? 1 : FLEET_ROUNDS); round += 1) {
      if (round > 0) downs.push(call(node, home, ["down"]));
      ups.push(call(node, home, ["up"]));
    }
    const title = (what: string): string => `${what} ${count}`;
    fleet.push(
      { what: title("bare ws servers started at once, to the last answer:"), figure: ms(bare), ratio: 1 },
      {
        what: title("up of"),
        figure: ms(median(ups)),
        ratio: median(ups) / bare,
        over: "the bare starts",
        target: 1.5,
        differed: scatter(ups),
      },
    );
    const contestants: readonly Contestant[] = [
      nodeFloor(node, home),
      ourCommand(node, `list, ${count} of ${count} running`, ["list"], home, 1.6),
      ourCommand(node, `list --no-probe, ${count} of ${count} running`, ["list", "--no-probe"], home),
      ourCommand(node, "status of one that runs", ["status", "r1"], home, 1.5),
    ];
    const looks = rowsOf(contestants, takeTurns(contestants, rounds), FLOOR);
    const kept = await keeperRows(node, home, quick ? 3_000 : 30_000);
    downs.push(call(node, home, ["down"]));
    fleet.push({ what: title("down of"), figure: ms(median(downs)), differed: scatter(downs) });
    return [
      { title: "Gateways that run", note: "", rows: looks },
      { title: "Many at once", note: "A built-in gateway ends within milliseconds of its signal.", rows: fleet },
      { title: "The keeper", note: "Private memory: what would be free if the process ended.", rows: kept },
    ];
  } finally {
    spawnSync(node, [CLI_ENTRY, "down"], { env: bareEnvironment(home), stdio: "ignore" });
  }
}

async function keeperRows(node: string, home: string, idleMs: number): Promise<readonly Row[]> {
  const idle = spawn(node, ["-e", IDLE], { stdio: "ignore" });
  try {
    const { stdout } = spawnSync(node, [CLI_ENTRY, "list", "--json"], { env: bareEnvironment(home), encoding: "utf8" });
    const keepers = (JSON.parse(stdout) as { keeperPid: number }[]).map(({ keeperPid }) => keeperPid);
    await delay(SETTLED_AFTER_MS);
    const computing = (): number => keepers.reduce((sum, pid) => sum + computingMs(pid), 0);
    const before = computing();
    await delay(idleMs);
    const share = (computing() - before) / idleMs / keepers.length;
    const [floor, own] = [privateKiB(idle.pid), median(keepers.map(privateKiB))];
    return [
      { what: "bare idle Node, private memory", figure: mebibytes(floor), ratio: 1 },
      {
        what: "keeper, private memory",
        figure: mebibytes(own),
        ratio: own / floor,
        over: "bare idle Node",
        target: 1.35,
      },
      {
        what: `keeper, computing while idle, mean of ${keepers.length}`,
        figure: `${(share * 100).toFixed(3)} % of a core`,
      },
    ];
  } finally {
    idle.kill("SIGKILL");
    await once(idle, "exit");
  }
}

/** Returns how long it takes until `count` bare servers, started at once, have all answered. */
async function bareStarts(node: string, count: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < FLEET_ROUNDS; round += 1) {
    const begun = performance.now();
    const servers = await Promise.all(Array.from({ length: count }, async () => startBareServer(node)));
    times.push(performance.now() - begun);
    await Promise.all(
      servers.map(async (server) => {
        server.kill("SIGKILL");
        await once(server, "exit");
      }),
    );
  }
  return median(times);
}

async function startBareServer(node: string): Promise<ChildProcess> {
  const server = spawn(node, [bareServer()], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(server.stdout, "data")) as [Buffer];
  const client = new WebSocket(`ws://127.0.0.1:${Number(port.toString())}`);
  await once(client, "open");
  client.terminate();
  return server;
}

/** Plain JavaScript, so it lies among the sources and not in the build. */
function bareServer(): string {
  const source = fileURLToPath(new URL("../bare-ws-server.js", import.meta.url));
  return existsSync(source) ? source : fileURLToPath(new URL("../../../bench/bare-ws-server.js", import.meta.url));
}

/** Returns how long the call took, in milliseconds. */
function call(node: string, home: string, args: readonly string[]): number {
  const begun = performance.now();
  const { status, stderr } = spawnSync(node, [CLI_ENTRY, ...args], { env: bareEnvironment(home), encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")}: exit status ${status}\n${stderr}`);
  return performance.now() - begun;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function mebibytes(kibibytes: number): string {
  return `${(kibibytes / 1_024).toFixed(1)} MiB`;
}
