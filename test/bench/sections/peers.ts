/** Alternatives, as far as this machine has them: their list of the same number of programs, over the same floor. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { bareEnvironment } from "../../harness/cli.ts";
import { findOnPath } from "../measure/machine.ts";
import { privateKiB } from "../measure/memory.ts";
import { rowsOf } from "../measure/table.ts";
import type { Row } from "../measure/table.ts";
import { FLOOR, nodeFloor, takeTurns } from "../measure/turns.ts";
import type { Contestant } from "../measure/turns.ts";
import type { Bench, Section } from "./section.ts";

/** One peer that is ready for questions, with as many programs as `count` says. */
interface Peer {
  readonly contestant: Contestant;
  /** Memory of its one manager; undefined where there is none. */
  readonly managerPid: () => number | undefined;
  readonly end: () => void;
}

type Prepare = (folder: string, count: number, node: string) => Promise<Peer | undefined>;

const PEERS: Readonly<Record<string, Prepare>> = { pm2, supervisord, pg_lsclusters: postgres };

/** Measures the peers that are installed or can be, and names the others. */
export async function measure({ folder, rounds, quick, nodes }: Bench): Promise<readonly Section[]> {
  const [node = process.execPath] = nodes;
  const count = quick ? 5 : 20;
  const missing: string[] = [];
  const peers: Peer[] = [];
  try {
    for (const [name, prepare] of Object.entries(PEERS)) {
      const place = path.join(folder, name);
      mkdirSync(place, { recursive: true });
      const peer = await prepare(place, count, node);
      if (peer === undefined) missing.push(name);
      else peers.push(peer);
    }
    const contestants = [nodeFloor(node, folder), ...peers.map(({ contestant }) => contestant)];
    const rows: Row[] = [...rowsOf(contestants, takeTurns(contestants, rounds), FLOOR)];
    for (const { contestant, managerPid } of peers) {
      const pid = managerPid();
      if (pid === undefined) continue;
      const figure = `${(privateKiB(pid) / 1_024).toFixed(1)} MiB`;
      rows.push({ what: `${contestant.title}: private memory of its manager`, figure });
    }
    const note = missing.length === 0 ? "" : `Not on this machine, so not measured: ${missing.join(", ")}.`;
    return [{ title: "Peers", note, rows }];
  } finally {
    for (const { end } of peers) end();
  }
}

async function pm2(folder: string, count: number): Promise<Peer | undefined> {
  const program = findOnPath("pm2");
  if (program === undefined) return undefined;
  const env = { ...bareEnvironment(folder), PM2_HOME: folder };
  const run = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(program, args, { env, encoding: "utf8", timeout: 60_000 });
  const apps = Array.from({ length: count }, (_, index) => ({
    name: `p${index}`,
    script: "/bin/sleep",
    args: "100000",
    interpreter: "none",
  }));
  const file = path.join(folder, "apps.json");
  writeFileSync(file, JSON.stringify({ apps }));
  run("start", file);
  return {
    contestant: { title: `pm2 ls of ${count}`, argv: () => [program, "ls"], env },
    managerPid: () =>
      Number(run("ping").status === 0 ? spawnSync("cat", [path.join(folder, "pm2.pid")]).stdout : Number.NaN) ||
      undefined,
    end: () => void run("kill"),
  };
}

async function supervisord(folder: string, count: number): Promise<Peer | undefined> {
  const [daemon, client] = [findOnPath("supervisord"), findOnPath("supervisorctl")];
  if (daemon === undefined || client === undefined) return undefined;
  const socket = path.join(folder, "s.sock");
  const file = path.join(folder, "supervisord.conf");
  const programs = Array.from({ length: count }, (_, index) => `[program:p${index}]\ncommand=/bin/sleep 100000\n`);
  const parts = [
    `[unix_http_server]\nfile=${socket}\n`,
    `[supervisord]\nnodaemon=true\nlogfile=${folder}/log\npidfile=${folder}/pid\nchildlogdir=${folder}\n`,
    "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
    `[supervisorctl]\nserverurl=unix://${socket}\n`,
  ];
  writeFileSync(file, [...parts, ...programs].join("\n"));
  const env = { ...bareEnvironment(folder), PYTHONPATH: process.env["PYTHONPATH"] ?? "" };
  const manager = spawn(daemon, ["-c", file], { env, stdio: "ignore" });
  await delay(3_000);
  return {
    contestant: { title: `supervisorctl status of ${count}`, argv: () => [client, "-c", file, "status"], env },
    managerPid: () => manager.pid,
    end: () => void manager.kill("SIGTERM"),
  };
}

async function postgres(folder: string): Promise<Peer | undefined> {
  const program = findOnPath("pg_lsclusters");
  if (program === undefined) return undefined;
  return {
    contestant: { title: "pg_lsclusters, clusters as they are", argv: () => [program], env: bareEnvironment(folder) },
    managerPid: () => undefined,
    end: () => undefined,
  };
}
