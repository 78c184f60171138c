/**
 * The gateway host against a bare ws server of a few lines, both in processes of their own, clients in this one, rounds
 * interleaved, medians. Asserts nothing. Run as a program with an argument it is one of the two servers.
 */
import { startGatewayHost } from "@lockkeeper/core";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { WebSocket, WebSocketServer } from "ws";
import { versionOf } from "./measure/machine.ts";
import { median, pairedRatio, scatter } from "./measure/statistics.ts";
import { atLeast, formatTable } from "./measure/table.ts";
import type { Row } from "./measure/table.ts";
import type { Section } from "./sections/section.ts";
import { freePort } from "../harness/ports.ts";

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

/** Measures and prints; takes about two minutes. */
export async function run(): Promise<void> {
  process.stdout.write(`${formatTable((await compareGateways(process.execPath, false)).rows)}\n`);
}

/**
 * Returns requests, deliveries and memory of a gateway as rows, divided by those of a bare ws server on the same `node`.
 */
export async function compareGateways(node: string, quick: boolean): Promise<Section> {
  const rounds = quick ? 1 : ROUNDS;
  const echo = await alternate(node, rounds, [
    (port) => messagesPerSecond(port, ECHO),
    (port) => messagesPerSecond(port, PING),
  ]);
  const rows: Row[] = rowsBeside(echo, perSecond, {
    floor: `bare ws echo of 64 bytes, ${CONNECTIONS} x ${IN_FLIGHT}`,
    what: `JSON-RPC, ${CONNECTIONS} x ${IN_FLIGHT}`,
    target: atLeast(0.92),
  });
  for (const count of quick ? [SUBSCRIBERS] : [SUBSCRIBERS, MANY_SUBSCRIBERS]) {
    const publishes = PUBLISHES / (count / SUBSCRIBERS);
    const deliveries = await alternate(node, rounds, [
      (port) => deliveriesPerSecond(port, BROADCAST, count, publishes),
      (port) => deliveriesPerSecond(port, PUBLISH, count, publishes),
    ]);
    const shown = count.toLocaleString("en");
    rows.push(
      ...rowsBeside(deliveries, perSecond, {
        floor: `bare broadcast loop to ${shown}`,
        what: `publish to ${shown}`,
        target: atLeast(1),
      }),
    );
  }
  if (!quick) rows.push(...(await idleRows(node)));
  const note =
    "More is better, except for memory. Answers, and deliveries at their receivers, by the clock; the clients are one process beside the server.";
  return { title: `The built-in gateway, Node ${versionOf(node)}`, note, rows };
}

/** What both hold for an idle connection: by the growth of their resident memory. */
async function idleRows(node: string): Promise<readonly Row[]> {
  const what = `one of ${IDLE_CONNECTIONS.toLocaleString("en")} idle WebSockets`;
  const sizes = await alternate(node, 1, [idleBytes, idleBytes]);
  return rowsBeside(sizes, (bytes) => `${bytes.toFixed(0)} bytes`, { floor: `${what}, bare ws`, what, target: "" });
}

function perSecond(rate: number): string {
  return `${rate.toFixed(0)} a second`;
}

function spread(values: readonly number[]): Pick<Row, "differed"> {
  return values.length > 1 ? { differed: scatter(values) } : {};
}

type Measure = (port: number, server: ChildProcess) => Promise<number>;
type Sides = readonly [bare: readonly number[], gateway: readonly number[]];

/** One server after the other in every round. */
async function alternate(node: string, rounds: number, [bare, gateway]: readonly [Measure, Measure]): Promise<Sides> {
  const sides: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    sides[0].push(await withServer(node, "bare", bare));
    sides[1].push(await withServer(node, "gateway", gateway));
  }
  return sides;
}

/** The median of the rounds' ratios, not the ratio of the medians: a slow moment of the machine slows both sides. */
function rowsBeside(
  [bare, gateway]: Sides,
  show: (value: number) => string,
  { floor, what, target }: { readonly floor: string; readonly what: string; readonly target: string },
): Row[] {
  return [
    { what: floor, figure: show(median(bare)), ratio: 1, ...spread(bare) },
    { what, figure: show(median(gateway)), ratio: pairedRatio(gateway, bare), over: floor, target, ...spread(gateway) },
  ];
}

/** Runs `fn` against a server process of its own, which has ended afterwards. */
async function withServer(node: string, kind: "bare" | "gateway", fn: Measure): Promise<number> {
  const server = fork(fileURLToPath(import.meta.url), [kind], { execPath: node });
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

/** Counted over one round, after a quarter of one as a warm-up. */
async function rateOf(count: () => number): Promise<number> {
  await pause(ROUND_MS / 4);
  const [before, startedAt] = [count(), performance.now()];
  await pause(ROUND_MS);
  return ((count() - before) * 1_000) / (performance.now() - startedAt);
}

/** Returns how much the server grows for each idle connection. */
async function idleBytes(port: number, server: ChildProcess): Promise<number> {
  const before = await memoryMiB(server);
  const sockets: WebSocket[] = [];
  while (sockets.length < IDLE_CONNECTIONS) sockets.push(...(await connectAll(port, CONNECTIONS_AT_ONCE)));
  const after = await memoryMiB(server);
  for (const socket of sockets) socket.terminate();
  return ((after - before) * 1_048_576) / IDLE_CONNECTIONS;
}

async function deliveriesPerSecond(port: number, message: string, count: number, publishes: number): Promise<number> {
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
