/**
 * The gateway host against a bare ws server of a few lines, both in processes of their own, clients in this one, rounds
 * interleaved, medians. Prints one line a figure; asserts nothing. Run as a program with an argument it is one of the
 * two servers.
 */
import { startGatewayHost } from "@lockkeeper/core";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { WebSocket, WebSocketServer } from "ws";
import { median, pairedRatio } from "./measure/statistics.ts";
import type { Row } from "./measure/table.ts";
import type { Section } from "./sections/section.ts";
import { freePort } from "../harness/free-port.ts";

const TOKEN = "bench-token-with-forty-three-characters-000";
const ROUNDS = 5;
const ROUND_MS = 1_200;
const CONNECTIONS = 50;
const IN_FLIGHT = 4;
const SUBSCRIBERS = 100;
const MANY_SUBSCRIBERS = 1_000;
const PUBLISHES = 1_000;
const IDLE_CONNECTIONS = 10_000;
const CONNECTIONS_AT_ONCE = 100;
const PUBLISHES_IN_FLIGHT = 8;

const ECHO = "x".repeat(64);
const PING = '{"jsonrpc":"2.0","id":1,"method":"gateway.ping","params":{}}';
const DELIVERED =
  '{"jsonrpc":"2.0","method":"topic.message","params":{"topic":"builds","data":{"ok":true,"branch":"main","commit":"0123456789abcdef"}}}';
const PUBLISH =
  '{"jsonrpc":"2.0","method":"topic.publish","params":{"topic":"builds","data":{"ok":true,"branch":"main","commit":"0123456789abcdef"}}}';
const SUBSCRIBE = '{"jsonrpc":"2.0","method":"topic.subscribe","params":{"topic":"builds"}}';
const BROADCAST = "broadcast";

/** Measures and prints; takes about half a minute. */
export async function run(): Promise<void> {
  const [echo, rpc, bareFanOut, fanOut]: number[][] = [[], [], [], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    echo?.push(await withServer("bare", (port) => messagesPerSecond(port, ECHO)));
    rpc?.push(await withServer("gateway", (port) => messagesPerSecond(port, PING)));
    bareFanOut?.push(await withServer("bare", (port) => deliveriesPerSecond(port, BROADCAST)));
    fanOut?.push(await withServer("gateway", (port) => deliveriesPerSecond(port, PUBLISH)));
  }
  report(`JSON-RPC / bare ws echo, ${CONNECTIONS} x ${IN_FLIGHT}`, rpc, echo, "messages/s", ">= 0.92");
  report(`publish to ${SUBSCRIBERS} subscribers / bare broadcast loop`, fanOut, bareFanOut, "deliveries/s", ">= 1.0");

  const [bareMany, many]: number[][] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    bareMany?.push(await withServer("bare", (port) => deliveriesPerSecond(port, BROADCAST, MANY_SUBSCRIBERS, 100)));
    many?.push(await withServer("gateway", (port) => deliveriesPerSecond(port, PUBLISH, MANY_SUBSCRIBERS, 100)));
  }
  report(`publish to ${MANY_SUBSCRIBERS} subscribers / bare broadcast loop`, many, bareMany, "deliveries/s", ">= 1.0");

  const [bareMemory, memory]: number[][] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    bareMemory?.push(await withServer("bare", (_, server) => memoryMiB(server)));
    memory?.push(await withServer("gateway", (_, server) => memoryMiB(server)));
  }
  report("memory of a gateway / bare ws server", memory, bareMemory, "MiB", "<= 1.0");

  const bareIdle = await withServer("bare", idleBytes);
  const idle = await withServer("gateway", idleBytes);
  report(
    `memory of one of ${IDLE_CONNECTIONS} idle WebSockets / bare`,
    [idle],
    [bareIdle],
    "bytes",
    "as near to 1 as can be",
  );
}

/** Returns requests and deliveries of a gateway as rows, over a bare ws server. */
export async function compareThroughput(quick: boolean): Promise<Section> {
  const [echo, rpc, bareFanOut, fanOut]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let round = 0; round < (quick ? 1 : ROUNDS); round += 1) {
    echo.push(await withServer("bare", (port) => messagesPerSecond(port, ECHO)));
    rpc.push(await withServer("gateway", (port) => messagesPerSecond(port, PING)));
    bareFanOut.push(await withServer("bare", (port) => deliveriesPerSecond(port, BROADCAST)));
    fanOut.push(await withServer("gateway", (port) => deliveriesPerSecond(port, PUBLISH)));
  }
  const rows: readonly Row[] = [
    {
      what: `bare ws echo of 64 bytes, ${CONNECTIONS} x ${IN_FLIGHT}`,
      figure: `${median(echo).toFixed(0)} a second`,
      ratio: 1,
    },
    row(`JSON-RPC, ${CONNECTIONS} x ${IN_FLIGHT} (wanted: 0.92 or more)`, rpc, echo, "bare ws echo"),
    row(`publish to ${SUBSCRIBERS} (wanted: 1.0 or more)`, fanOut, bareFanOut, "bare broadcast loop"),
  ];
  const note = "Here more is better. `pnpm bench websocket` also measures a thousand subscribers, and memory.";
  return { title: "The built-in gateway", note, rows };
}

function row(what: string, ours: readonly number[], floor: readonly number[], over: string): Row {
  return { what, figure: `${median(ours).toFixed(0)} a second`, ratio: pairedRatio(ours, floor), over };
}

/** The median of the rounds' ratios, and not the ratio of medians: what slows the machine for a while slows both. */
function report(what: string, ours: number[] = [], floor: number[] = [], unit: string, target: string): void {
  const ratio = median(ours.map((value, round) => value / (floor[round] ?? Number.NaN)));
  const figures = `${Math.round(median(ours))} / ${Math.round(median(floor))} ${unit}`;
  process.stdout.write(`${what}: ${ratio.toFixed(2)} (target ${target}; ${figures}, medians of ${ROUNDS})\n`);
}

/** Runs `fn` against a server process of its own, which is gone afterwards. */
async function withServer<T>(
  kind: "bare" | "gateway",
  fn: (port: number, server: ChildProcess) => Promise<T>,
): Promise<T> {
  const server = fork(fileURLToPath(import.meta.url), [kind]);
  try {
    const [port] = (await once(server, "message")) as [number];
    return await fn(port, server);
  } finally {
    server.kill();
    await once(server, "exit");
  }
}

async function connectAll(port: number, count: number): Promise<WebSocket[]> {
  const opening = Array.from({ length: count }, async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${TOKEN}` } });
    await once(socket, "open");
    return socket;
  });
  return Promise.all(opening);
}

async function messagesPerSecond(port: number, message: string): Promise<number> {
  const sockets = await connectAll(port, CONNECTIONS);
  let answers = 0;
  for (const socket of sockets) {
    socket.on("message", () => {
      answers += 1;
      socket.send(message);
    });
    for (let index = 0; index < IN_FLIGHT; index += 1) socket.send(message);
  }
  const rate = await rateOf(() => answers);
  for (const socket of sockets) socket.terminate();
  return rate;
}

/** Counted over one round, after a quarter of one to warm up. */
async function rateOf(count: () => number): Promise<number> {
  await pause(ROUND_MS / 4);
  const [before, startedAt] = [count(), performance.now()];
  await pause(ROUND_MS);
  return ((count() - before) * 1_000) / (performance.now() - startedAt);
}

/** How much the server grows for each connection that does nothing. */
async function idleBytes(port: number, server: ChildProcess): Promise<number> {
  const before = await memoryMiB(server);
  const sockets: WebSocket[] = [];
  while (sockets.length < IDLE_CONNECTIONS) sockets.push(...(await connectAll(port, CONNECTIONS_AT_ONCE)));
  const after = await memoryMiB(server);
  for (const socket of sockets) socket.terminate();
  return ((after - before) * 1_048_576) / IDLE_CONNECTIONS;
}

async function deliveriesPerSecond(
  port: number,
  message: string,
  count: number = SUBSCRIBERS,
  publishes: number = PUBLISHES,
): Promise<number> {
  const subscribers = await connectAll(port, count);
  const [publisher] = await connectAll(port, 1);
  if (publisher === undefined) throw new Error("no publisher");
  for (const socket of subscribers) socket.send(SUBSCRIBE);
  await pause(200);
  let published = 0;
  let deliveries = 0;
  const publish = (): void => {
    published += 1;
    publisher.send(message);
  };
  const startedAt = performance.now();
  const done = new Promise<void>((resolve) => {
    const onMessage = (): void => {
      deliveries += 1;
      if (deliveries === publishes * count) resolve();
      else if (deliveries % count === 0 && published < publishes) publish();
    };
    for (const socket of subscribers) socket.on("message", onMessage);
  });
  for (let index = 0; index < PUBLISHES_IN_FLIGHT; index += 1) publish();
  await done;
  const rate = (deliveries * 1_000) / (performance.now() - startedAt);
  for (const socket of [publisher, ...subscribers]) socket.terminate();
  return rate;
}

async function memoryMiB(server: ChildProcess): Promise<number> {
  await pause(300);
  const answered = once(server, "message");
  server.send("memory?");
  const [bytes] = (await answered) as [number];
  return bytes / 1_048_576;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function serve(kind: string): Promise<void> {
  const port = await freePort();
  if (kind === "gateway") {
    await startGatewayHost({ port, token: TOKEN });
  } else {
    const server = new WebSocketServer({ host: "127.0.0.1", port });
    const subscribers = new Set<WebSocket>();
    server.on("connection", (socket) => {
      socket.on("message", (data: Buffer) => {
        const text = data.toString();
        if (text === SUBSCRIBE) subscribers.add(socket);
        else if (text === BROADCAST) for (const subscriber of subscribers) subscriber.send(DELIVERED);
        else socket.send(text);
      });
    });
    await once(server, "listening");
  }
  process.on("message", () => process.send?.(process.memoryUsage.rss()));
  process.send?.(port);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] !== undefined) await serve(process.argv[2]);
