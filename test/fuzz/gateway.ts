/**
 * Fuzzes a gateway by seed: mutated request heads, WebSocket frames and JSON-RPC messages, many on each connection. It
 * must live, answer `/healthz`, refuse every client without the token, answer JSON-RPC with JSON, and not grow.
 */
import { probeHealth, startGatewayHost } from "@lockkeeper/core";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { freePort } from "../harness/ports.ts";
import { randomFrom } from "./random.ts";
import type { Random } from "./random.ts";

/** What one seed becomes, and what must hold for the answer. */
export interface Fuzzer {
  readonly name: string;
  /** Returns the bytes of one connection. */
  make(random: Random, target: Target): Buffer;
  /** Returns what is wrong with the answer, or undefined. */
  judge(answer: Buffer): string | undefined;
}

interface Target {
  readonly port: number;
  readonly token: string;
}

const TOKEN = "fuzz-token-with-forty-three-characters-0000";
/** Everything is answered or refused by then; most fuzzed bytes wait for more that never comes. */
const ANSWER_MS = 60;
const AT_ONCE = 16;
const SECRET = "behind the guard";

/** Every fuzzer of the gateway. */
export const fuzzers: readonly [Fuzzer, ...Fuzzer[]] = [
  {
    name: "request heads",
    make: (random, { port }) => mutate(random, Buffer.from(strangeHead(random, port), "latin1")),
    judge: (answer) => {
      const text = answer.toString("latin1");
      if (text.includes(SECRET)) return "a request without the token reached the handler";
      if (/^HTTP\/1\.1 101/m.test(text)) return "an upgrade without the token was let in";
      return text === "" || /^HTTP\/1\.1 [2-5]\d\d /.test(text) ? undefined : `no HTTP: ${text.slice(0, 60)}`;
    },
  },
  {
    name: "WebSocket frames",
    make: (random, target) => {
      const frames = Array.from({ length: 1 + random.below(8) }, () => strangeFrame(random));
      return Buffer.concat([upgradeHead(target), mutate(random, Buffer.concat(frames))]);
    },
    judge: (answer) =>
      answer.length === 0 || answer.toString("latin1").startsWith("HTTP/1.1 101 ")
        ? undefined
        : "the upgrade was refused",
  },
  {
    name: "JSON-RPC",
    make: (random, target) => {
      const messages = Array.from({ length: 1 + random.below(8) }, () => frame(0x81, strangeMessage(random)));
      return Buffer.concat([upgradeHead(target), ...messages]);
    },
    judge: (answer) => {
      for (const payload of textFrames(answer)) {
        try {
          JSON.parse(payload);
        } catch {
          return `an answer is no JSON: ${payload.slice(0, 60)}`;
        }
      }
      return undefined;
    },
  },
];

/** The result of a run. */
export interface FuzzReport {
  readonly fuzzer: string;
  readonly inputs: number;
  /** One line each, with the seed that repeats it. */
  readonly faults: readonly string[];
  /** Memory of this process above its level after the first inputs; the clients are included. */
  readonly grownMiB: number;
}

/** Feeds a gateway in this process with the inputs of `seed`, `seed + 1`, and so on. */
export async function fuzzGateway(fuzzer: Fuzzer, seed: number, inputs: number): Promise<FuzzReport> {
  const target: Target = { port: await freePort(), token: TOKEN };
  const warnings: string[] = [];
  const gateway = await startGatewayHost({
    ...target,
    onWarning: (message) => void warnings.push(message),
    // Every input is a failed attempt: none may be refused for that here.
    maxFailures: 2_147_483_647,
    ...(fuzzer.name === "request heads" && {
      onRequest: (_: unknown, response: { end(text: string): void }) => response.end(SECRET),
    }),
  });
  const faults: string[] = [];
  let settledBytes = 0;
  try {
    for (let first = 0; first < inputs; first += AT_ONCE) {
      const seeds = Array.from({ length: Math.min(AT_ONCE, inputs - first) }, (_, index) => seed + first + index);
      await Promise.all(
        seeds.map(async (one) => {
          const fault = fuzzer.judge(await send(target.port, fuzzer.make(randomFrom(one), target)));
          if (fault !== undefined) faults.push(`${fuzzer.name}, seed ${one}: ${fault}`);
        }),
      );
      const { health, detail } = await probeHealth({ host: "127.0.0.1", port: target.port, timeoutMs: 5_000 });
      if (health !== "ok") faults.push(`${fuzzer.name}, seeds ${seeds.at(0)} to ${seeds.at(-1)}: /healthz: ${detail}`);
      if (first <= 512) settledBytes = process.memoryUsage.rss();
    }
  } finally {
    await gateway.close();
  }
  faults.push(...warnings.map((warning) => `${fuzzer.name}: told: ${warning}`));
  const grownMiB = Math.round((process.memoryUsage.rss() - settledBytes) / 1_048_576);
  return { fuzzer: fuzzer.name, inputs, faults, grownMiB };
}

function send(port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const got: Buffer[] = [];
    const socket: Socket = connect({ host: "127.0.0.1", port });
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(got));
    };
    const timer = setTimeout(done, ANSWER_MS);
    socket.on("data", (chunk) => got.push(chunk));
    socket.on("error", done);
    socket.on("close", done);
    socket.write(bytes);
  });
}

function strangeHead(random: Random, port: number): string {
  const methods = ["GET", "POST", "HEAD", "OPTIONS", "CONNECT", "PRI", "get", "G\u0000T"] as const;
  const paths = [
    "/",
    "/healthz",
    "/status",
    "//x",
    "/\\x",
    "*",
    "http://x/",
    `/${"a".repeat(random.below(9_000))}`,
    "",
  ] as const;
  const lines = [
    `Host: 127.0.0.1:${port}`,
    "Host: evil.example",
    "Origin: http://evil.example",
    "Authorization: Bearer x",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: lockkeeper.v1, lockkeeper.bearer.x",
    "Transfer-Encoding: chunked",
    "Content-Length: 5",
    "Content-Length: -1",
    "Expect: 100-continue",
    "Expect: x",
    " folded: yes",
    "a:",
    `X: ${"y".repeat(random.below(20_000))}`,
  ] as const;
  const chosen = Array.from({ length: random.below(14) }, () => random.pick(lines));
  const host = random.below(3) === 0 ? [] : [`Host: 127.0.0.1:${port}`];
  const end = random.pick(["\r\n", "\r\n", "\r\n", "\n", "\r"]);
  const head = [
    `${random.pick(methods)} ${random.pick(paths)} HTTP/1.${random.below(3)}`,
    ...host,
    ...chosen,
    "",
    "",
  ].join(end);
  return head.repeat(1 + random.below(3)) + random.bytes(random.below(40)).toString("latin1");
}

function upgradeHead({ port, token }: Target): Buffer {
  const lines = [
    "GET / HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Authorization: Bearer ${token}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

/** Any first byte, any claimed length, masked or not. */
function strangeFrame(random: Random): Buffer {
  const payload = random.bytes(random.below(200));
  const first = random.pick([0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8a, random.below(256)]);
  if (random.below(2) === 0) return frame(first, payload);
  const claimed = random.pick([0, 1, 125, 126, 127, 255]);
  return Buffer.concat([Buffer.from([first, claimed]), random.bytes(random.below(12)), payload]);
}

function strangeMessage(random: Random): Buffer {
  const methods = [
    "gateway.ping",
    "gateway.info",
    "topic.list",
    "topic.subscribe",
    "topic.publish",
    "toString",
    "__proto__",
    "",
  ] as const;
  const value = (depth: number): unknown =>
    random.pick<() => unknown>([
      () => random.below(1_000_000) - 500_000,
      () => 1e20,
      () => null,
      () => random.bytes(random.below(200)).toString("latin1"),
      () => "\ud800".repeat(random.below(130)),
      () => (depth > 4 ? [] : Array.from({ length: random.below(4) }, () => value(depth + 1))),
      () => (depth > 4 ? {} : { topic: value(depth + 1), data: value(depth + 1), from: value(5), limit: value(5) }),
      () => ({ topic: "x", data: 1 }),
    ])();
  const request = (): unknown => ({ jsonrpc: "2.0", id: value(3), method: random.pick(methods), params: value(0) });
  const message = random.below(4) === 0 ? Array.from({ length: random.below(120) }, request) : request();
  const bytes = Buffer.from(JSON.stringify(message));
  return random.below(4) === 0 ? mutate(random, bytes) : bytes;
}

/** Flips, drops and repeats a few bytes. */
function mutate(random: Random, bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  if (changed.length === 0) return changed;
  for (let times = random.below(4); times > 0; times -= 1) changed[random.below(changed.length)] = random.below(256);
  if (random.below(4) > 0) return changed;
  const from = random.below(changed.length);
  const to = from + random.below(changed.length - from);
  return random.below(2) === 0
    ? Buffer.concat([changed.subarray(0, from), changed.subarray(to)])
    : Buffer.concat([changed.subarray(0, to), changed.subarray(from)]);
}

/** A client frame with a mask of zeros. */
function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? [first, 0x80 | length]
      : length < 65_536
        ? [first, 0xfe, length >> 8, length & 0xff]
        : [first, 0xff, 0, 0, 0, 0, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}

/** The complete text frames of a server, after the head of its answer. */
function textFrames(answer: Buffer): readonly string[] {
  const texts: string[] = [];
  let at = answer.indexOf("\r\n\r\n") + 4;
  while (at + 2 <= answer.length) {
    const first = answer.readUInt8(at);
    let length = answer.readUInt8(at + 1);
    let head = 2;
    if (length === 126 && at + 4 <= answer.length) [length, head] = [answer.readUInt16BE(at + 2), 4];
    else if (length === 127 && at + 10 <= answer.length) [length, head] = [answer.readUInt32BE(at + 6), 10];
    const end = at + head + length;
    if (end > answer.length) break;
    if (first === 0x81) texts.push(answer.toString("utf8", at + head, end));
    at = end;
  }
  return texts;
}
