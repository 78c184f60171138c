/** The cost of a keeper. Linux: figures from /proc. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { bareEnvironment, CLI_ENTRY } from "../../harness/cli.ts";
import { endBareServer, startBareServer } from "../measure/bare-server.ts";
import { versionOf } from "../measure/machine.ts";
import { computingMs, privateKiB } from "../measure/memory.ts";
import { callOnce, withRunning } from "../measure/running-home.ts";
import { median, scatter } from "../measure/statistics.ts";
import { atMost } from "../measure/table.ts";
import type { Row } from "../measure/table.ts";
import type { Bench, Section } from "./section.ts";

const FOREGROUND = "front";
const IDLE = "setInterval(() => undefined, 2 ** 30)";
/** Eight seconds after a start Node returns the memory of the start by itself. */
const SETTLED_AFTER_MS = { quick: 10_000, usual: 15_000 };

/** Measures idle keepers and gateways, with each Node. */
export async function measure({ folder, quick, nodes }: Bench): Promise<readonly Section[]> {
  const count = quick ? 5 : 20;
  const sections: Section[] = [];
  for (const node of nodes) {
    await withRunning(node, path.join(folder, `kept-${versionOf(node)}`), count, async (home) => {
      sections.push({
        title: `The keeper, Node ${versionOf(node)}`,
        note: "Private memory: what would be free if the process ended. All have the same small environment: with `NODE_EXTRA_CA_CERTS` every Node 20 has 1.1 MiB more.",
        rows: await keeperRows(node, home, quick),
      });
    });
  }
  return sections;
}

async function keeperRows(node: string, home: string, quick: boolean): Promise<readonly Row[]> {
  const idle = spawn(node, ["-e", IDLE], { env: bareEnvironment(home), stdio: "ignore" });
  const server = await startBareServer(node, home);
  const listed = JSON.parse(callOnce(node, home, ["list", "--json"]).stdout) as { keeperPid: number; pid: number }[];
  callOnce(node, home, ["create", FOREGROUND]);
  const foreground = spawn(node, [CLI_ENTRY, "run", FOREGROUND], { env: bareEnvironment(home), stdio: "ignore" });
  try {
    callOnce(node, home, ["wait", FOREGROUND]);
    await delay(quick ? SETTLED_AFTER_MS.quick : SETTLED_AFTER_MS.usual);
    const keepers = listed.map(({ keeperPid }) => keeperPid);
    const early = memoryOf(keepers);
    const idleMs = quick ? 3_000 : 60_000;
    const computing = (): number => keepers.reduce((sum, pid) => sum + computingMs(pid), 0);
    const before = computing();
    await delay(idleMs);
    const share = (computing() - before) / idleMs / keepers.length;
    const [floor, bare, front] = [privateKiB(idle.pid), privateKiB(server.pid), privateKiB(foreground.pid)];
    const [late, gateway] = [memoryOf(keepers), memoryOf(listed.map(({ pid }) => pid))];
    const seconds = idleMs / 1_000;
    return [
      { what: "bare idle Node, private memory", figure: mebibytes(floor), ratio: 1 },
      {
        what: "keeper, private memory",
        ...early.row,
        ratio: early.kib / floor,
        over: "bare idle Node",
        target: atMost(1.35),
      },
      { what: `keeper, ${seconds} s later`, ...late.row, ratio: late.kib / floor, over: "bare idle Node" },
      {
        what: "keeper in the foreground (`run`), then",
        figure: mebibytes(front),
        ratio: front / floor,
        over: "bare idle Node",
      },
      {
        what: `keeper, computing while idle, mean of ${keepers.length}`,
        figure: `${(share * 100).toFixed(3)} % of a core`,
        target: "< 0.1 %",
      },
      { what: "bare ws server, private memory", figure: mebibytes(bare), ratio: 1 },
      {
        what: "built-in gateway, private memory",
        ...gateway.row,
        ratio: gateway.kib / bare,
        over: "bare ws server",
        target: atMost(1),
      },
    ];
  } finally {
    idle.kill("SIGKILL");
    foreground.kill("SIGTERM");
    await Promise.all([once(idle, "exit"), once(foreground, "exit"), endBareServer(server)]);
  }
}

function memoryOf(pids: readonly number[]): { readonly kib: number; readonly row: Pick<Row, "figure" | "differed"> } {
  const sizes = pids.map(privateKiB);
  const kib = median(sizes);
  return { kib, row: { figure: mebibytes(kib), differed: scatter(sizes) } };
}

function mebibytes(kibibytes: number): string {
  return `${(kibibytes / 1_024).toFixed(1)} MiB`;
}
