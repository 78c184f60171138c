import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import type { Gateway } from "../../src/gateway/gateway-host.ts";
import {
  BEARER,
  call,
  closeCode,
  exchange,
  openRaw,
  openSocket,
  sendRaw,
  startTestGateway,
  until,
  upgradeHead,
  within,
} from "./running-gateway.ts";

/** A WebSocket on a plain connection, for frames that no client library sends. */
async function openFrames(gateway: Gateway): Promise<{ readonly socket: Socket; readonly closeCode: Promise<number> }> {
  const socket = await openRaw(gateway);
  socket.write(`${upgradeHead(gateway, BEARER).join("\r\n")}\r\n\r\n`);
  await within("the upgrade", once(socket, "data"));
  const got: Buffer[] = [];
  socket.on("data", (chunk) => got.push(chunk));
  const code = ended(socket).then(() => {
    const bytes = Buffer.concat(got);
    const at = bytes.indexOf(0x88);
    return at === -1 ? 1006 : bytes.readUInt16BE(at + 2);
  });
  return { socket, closeCode: within("the connection to close", code) };
}

/** Treats a reset as an end like any other. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}

function frame(first: number, payload: string): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);
}

async function unsentBytes(gateway: Gateway): Promise<unknown> {
  const { body } = await sendRaw(gateway, ["GET /status HTTP/1.1", `Host: 127.0.0.1:${gateway.port}`, BEARER]);
  return (JSON.parse(body) as { unsentBytes: unknown }).unsentBytes;
}

describe("security 4: answers", () => {
  test("a list comes in pages, and a batch of them ends at the limit of one answer", async () => {
    const gateway = await startTestGateway({ maxTopicsPerClient: 2_500 });
    const socket = await openSocket(gateway);
    for (let first = 0; first < 2_500; first += 100) {
      const batch = Array.from({ length: 100 }, (_, index) => ({
        jsonrpc: "2.0",
        id: index,
        method: "topic.subscribe",
        params: { topic: `${String(first + index).padStart(4, "0")}${"ä".repeat(120)}` },
      }));
      await exchange(socket, batch);
    }
    const page = (await call(socket, "topic.list")) as { topics: unknown[]; next: number };
    expect(page.topics).toHaveLength(1_000);
    const rest = (await call(socket, "topic.list", { from: page.next, limit: 3 })) as { topics: { topic: string }[] };
    expect(rest.topics.map(({ topic }) => topic.slice(0, 4))).toEqual(["1000", "1001", "1002"]);
    await expect(call(socket, "topic.list", { limit: 1_001 })).rejects.toThrow("-32602");
    await expect(call(socket, "topic.list", { from: -1 })).rejects.toThrow("-32602");

    const batch = Array.from({ length: 100 }, (_, id) => ({ jsonrpc: "2.0", id, method: "topic.list" }));
    const answers = (await exchange(socket, batch)) as { id: number; error?: { code: number } }[];
    expect(answers.map(({ id }) => id)).toEqual(batch.map(({ id }) => id));
    expect(JSON.stringify(answers).length).toBeLessThan(1_100_000);
    expect(answers.slice(5).every(({ error }) => error?.code === -32_001)).toBe(true);
    expect(await call(socket, "gateway.ping")).toEqual({ pong: true });
  });

  test("clients that ask and never read cost no more than one backlog, and closing them frees it", async () => {
    const gateway = await startTestGateway({ maxBacklogBytes: 200_000, maxTopicsPerClient: 1_000 });
    const asker = await openSocket(gateway);
    for (let topic = 0; topic < 500; topic += 1) {
      asker.send(
        JSON.stringify({ jsonrpc: "2.0", method: "topic.subscribe", params: { topic: `${topic} ${"x".repeat(100)}` } }),
      );
    }
    const deaf = await Promise.all(Array.from({ length: 5 }, () => openSocket(gateway)));
    const batch = Array.from({ length: 100 }, (_, id) => ({ jsonrpc: "2.0", id, method: "topic.list" }));
    for (const socket of deaf) {
      socket.pause();
      for (let times = 0; times < 20; times += 1) socket.send(JSON.stringify(batch));
    }
    await call(asker, "gateway.ping");
    const codes = Promise.all(deaf.map(closeCode));
    for (const socket of deaf) socket.resume();
    expect((await codes).every((code) => code === 1006 || code === 1008)).toBe(true);
    expect(await call(asker, "gateway.ping")).toEqual({ pong: true });
    await until("nothing to be left for them", async () => (await unsentBytes(gateway)) === 0);
  });

  test("names in half surrogates, which JSON writes six times as long, are refused", async () => {
    const gateway = await startTestGateway();
    const socket = await openSocket(gateway);
    for (const topic of ["\ud800", `a${"\udfff".repeat(127)}`]) {
      await expect(call(socket, "topic.subscribe", { topic })).rejects.toThrow("-32602");
    }
    expect(await call(socket, "topic.list")).toEqual({ topics: [] });
  });

  test("numbers that are written longer than they arrived do not make a message above the limit", async () => {
    const gateway = await startTestGateway();
    const [publisher, subscriber] = [await openSocket(gateway), await openSocket(gateway)];
    await call(subscriber, "topic.subscribe", { topic: "x" });
    const numbers = Array.from({ length: 100_000 }, () => "1e20").join(",");
    const text = `{"jsonrpc":"2.0","id":1,"method":"topic.publish","params":{"topic":"x","data":[${numbers}]}}`;
    expect(await exchange(publisher, text)).toMatchObject({ id: 1, error: { code: -32_001 } });
    expect(await call(subscriber, "gateway.ping")).toEqual({ pong: true });
  });
});

describe("security 4: messages", () => {
  test("more fragments than the limit close the connection; exactly the limit is a message", async () => {
    const gateway = await startTestGateway({ maxFragments: 4 });
    const { socket, closeCode: code } = await openFrames(gateway);
    const answered = within("an answer", once(socket, "data"));
    const fits = [frame(0x01, "{"), frame(0x00, '"id"'), frame(0x00, ":1"), frame(0x80, "}")];
    socket.write(Buffer.concat(fits));
    expect(String((await answered)[0])).toContain('"id":1');
    socket.write(Buffer.concat([frame(0x01, "x"), ...Array.from({ length: 4 }, () => frame(0x00, "x"))]));
    expect(await code).toBe(1008);
  });

  test.each([
    ["between its fragments, behind pongs", [frame(0x01, "x")], frame(0x8a, ""), [1008]],
    // A client in the middle of a frame can answer no ping, and may be taken for dead earlier.
    ["within its frame, byte by byte", [frame(0x81, "x".repeat(125)).subarray(0, 9)], Buffer.from("x"), [1006, 1008]],
  ])("a message that stays unfinished %s ends the connection", async (_, start, more, codes) => {
    const gateway = await startTestGateway({ heartbeatMs: 60, messageTimeoutMs: 150 });
    const honest = await openSocket(gateway);
    const { socket, closeCode: code } = await openFrames(gateway);
    socket.write(Buffer.concat(start));
    socket.on("data", () => void socket.write(more));
    expect(codes).toContain(await code);
    expect(await call(honest, "gateway.ping")).toEqual({ pong: true });
  });

  test("a peer that pings and reads no pong is cut off", async () => {
    const gateway = await startTestGateway({ maxBacklogBytes: 100_000 });
    const { socket } = await openFrames(gateway);
    socket.pause();
    const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(0x89, "x".repeat(125))));
    const closed = within("the connection to end", ended(socket));
    // Only a read or a write shows a reset.
    const more = (error?: Error | null): void => {
      if (error === undefined || error === null) socket.write(pings, more);
    };
    more();
    await closed;
  });

  test("the unsent data of all clients together is limited: a slow client is dropped, a reading one stays", async () => {
    const gateway = await startTestGateway({ maxTotalBacklogBytes: 2_000_000 });
    const [publisher, reader] = [await openSocket(gateway), await openSocket(gateway)];
    const deaf = await Promise.all(Array.from({ length: 8 }, () => openSocket(gateway)));
    let received = 0;
    reader.on("message", () => (received += 1));
    await call(reader, "topic.subscribe", { topic: "mine" });
    received = 0;
    for (const [index, socket] of deaf.entries()) {
      await call(socket, "topic.subscribe", { topic: `t${index}` });
      socket.pause();
    }
    const data = "x".repeat(900_000);
    let published = 0;
    const gone = new Set<WebSocket>();
    for (const socket of deaf) socket.once("close", () => gone.add(socket));
    for (let round = 0; round < 6; round += 1) {
      for (const index of deaf.keys()) await call(publisher, "topic.publish", { topic: `t${index}`, data });
      await call(publisher, "topic.publish", { topic: "mine", data: 1 });
      published += 1;
    }
    await until("the reader to have all", () => received === published);
    for (const socket of deaf) socket.resume();
    await until("some laggards to be gone", () => gone.size > 0);
    expect(reader.readyState).toBe(reader.OPEN);
  });

  test("an error in an author's own listener costs that one WebSocket, and is reported", async () => {
    const warnings: string[] = [];
    const gateway = await startTestGateway({
      onWarning: (message) => void warnings.push(message),
      onConnection: (socket) =>
        void socket.on("message", (data) => {
          if (String(data) === "bad") throw new Error("no\n\u001b[31msuch thing");
          socket.send("good");
        }),
    });
    const [bad, good] = [await openSocket(gateway), await openSocket(gateway)];
    bad.send("bad");
    expect(await closeCode(bad)).toBe(1011);
    const answer = within("an answer", once(good, "message"));
    good.send("hello");
    expect(String((await answer)[0])).toBe("good");
    expect(warnings).toEqual([
      expect.stringMatching(/a WebSocket's listener failed: Error: no\\n\\x1b\[31msuch thing$/),
    ]);
  });
});
