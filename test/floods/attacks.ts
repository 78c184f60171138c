/**
 * Floods against one gateway, each as a program: `node attacks.js <name> <port> <token>`. It tells its parent when the
 * flood is established, and continues until it is killed. A flood that needs no token does not use it.
 */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";

interface Target {
  readonly port: number;
  readonly token: string;
}

type Attack = (target: Target) => Promise<void>;

/** Every flood by its name. */
export const attacks: Readonly<Record<string, Attack>> = {
  "nothing at all": async () => undefined,
  "2,000 half-open connections": async (target) => {
    const heads = ["", "GET /healthz HTTP/1.1\r\nHost: ", "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-"];
    await repeat(2_000, async (index) => void (await open(target)).write(heads[index % 3] ?? ""));
  },
  "1,500 kept-alive connections that ask every second": (target) => keepAlive(target, 1_500),
  "200 wrong tokens at once, again and again": async (target) => {
    const head = `GET /status HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nAuthorization: Bearer ${"x".repeat(43)}\r\n\r\n`;
    const guess = async (): Promise<void> => {
      const socket = await open(target);
      socket.write(head);
      await once(socket, "close");
      setImmediate(() => void guess());
    };
    await repeat(200, async () => void guess());
  },
  "20 clients that read nothing, and ask 100 times for 10,000 topics": async (target) => {
    await subscribeToMany(target, (topic) => `a topic with a name of some length, number ${topic}`);
    await askForAll(target, 20);
  },
  "one client that asks 100 times for 10,000 topics named in half surrogates": async (target) => {
    await subscribeToMany(target, (topic) => `${"\ud800".repeat(120)}${topic}`);
    await askForAll(target, 1);
  },
  "one message in one-byte fragments, each behind 64 KiB of pongs": async (target) => {
    const socket = await openUpgraded(target);
    const pongs = Buffer.concat(Array.from({ length: 500 }, () => frame(0x8a, Buffer.alloc(125))));
    let fragments = 0;
    const more = (error?: Error | null): void => {
      const fragment = frame(fragments === 0 ? 0x01 : 0x00, Buffer.from("x"));
      fragments += 1;
      if (fragments < 8_000 && (error === undefined || error === null))
        socket.write(Buffer.concat([pongs, fragment]), more);
    };
    more();
  },
  "20 clients that ping and read no pong": async (target) => {
    const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(0x89, Buffer.alloc(125))));
    await repeat(20, async () => {
      const socket = await openUpgraded(target);
      socket.pause();
      const more = (error?: Error | null): void => {
        if (error === undefined || error === null) socket.write(pings, more);
      };
      more();
    });
  },
  "4,000 pipelined requests on each of 20 connections, no answer read": async (target) => {
    const head = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n\r\n`;
    await repeat(20, async () => {
      const socket = await open(target);
      socket.pause();
      socket.write(head.repeat(4_000));
    });
  },
  "heads of 3,000 lines, again and again": async (target) => {
    const head = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n${"a:\r\n".repeat(3_000)}\r\n`;
    const again = async (): Promise<void> => {
      const socket = await open(target);
      socket.resume().write(head);
      setTimeout(() => {
        socket.destroy();
        void again();
      }, 20);
    };
    await repeat(20, async () => void again());
  },
};

async function keepAlive(target: Target, count: number): Promise<void> {
  const head = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n\r\n`;
  const hold = async (): Promise<void> => {
    const socket = await open(target);
    socket.resume().write(head);
    const again = setInterval(() => socket.write(head), 1_000);
    socket.once("close", () => {
      clearInterval(again);
      setTimeout(() => void hold(), 1_000);
    });
  };
  await repeat(count, () => hold());
}

async function subscribeToMany(target: Target, name: (topic: number) => string): Promise<void> {
  let topic = 0;
  await repeat(79, async () => {
    const socket = await openSocket(target);
    const subscriptions = Array.from({ length: 127 }, () => {
      topic += 1;
      return { jsonrpc: "2.0", id: topic, method: "topic.subscribe", params: { topic: name(topic) } };
    });
    for (const half of [subscriptions.slice(0, 64), subscriptions.slice(64)]) {
      const answered = once(socket, "message");
      socket.send(JSON.stringify(half));
      await answered;
    }
  });
}

async function askForAll(target: Target, clients: number): Promise<void> {
  const batch = Array.from({ length: 100 }, (_, id) => ({ jsonrpc: "2.0", id, method: "topic.list" }));
  await repeat(clients, async () => {
    const socket = await openSocket(target);
    socket.pause();
    socket.send(JSON.stringify(batch));
  });
}

async function repeat(times: number, what: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < times; index += 1) await what(index);
}

async function open({ port }: Target): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  return socket;
}

async function openSocket({ port, token }: Target): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${token}` } });
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "open"), once(socket, "close")]);
  return socket;
}

async function openUpgraded(target: Target): Promise<Socket> {
  const socket = await open(target);
  const lines = [
    "GET / HTTP/1.1",
    `Host: 127.0.0.1:${target.port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Authorization: Bearer ${target.token}`,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  await Promise.race([once(socket, "data"), once(socket, "close")]);
  return socket.resume();
}

/** A short client frame with a mask of zeros. */
function frame(first: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

const [script, name = "", port, token = ""] = process.argv.slice(1);
if (script === fileURLToPath(import.meta.url)) {
  await attacks[name]?.({ port: Number(port), token });
  process.send?.("stands");
  setInterval(() => undefined, 60_000);
}
