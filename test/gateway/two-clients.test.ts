/** The main use case: two clients talk through one profile's gateway while another profile is not affected. */
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

/** A client of `url`: calls by id, and the next notification. */
class Client {
  readonly #socket: WebSocket;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async open(url: string, token: string): Promise<Client> {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return new Client(socket);
  }

  call(method: string, params: unknown): Promise<Message> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = this.next((message) => message.id === id);
    this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return answer;
  }

  next(wanted: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no such message within 60 s")), 60_000);
      const look = (data: unknown): void => {
        const message = JSON.parse(String(data)) as Message;
        if (!wanted(message)) return;
        clearTimeout(timer);
        this.#socket.off("message", look);
        resolve(message);
      };
      this.#socket.on("message", look);
    });
  }

  close(): void {
    this.#socket.close();
  }
}

async function processesOf({ json }: ScratchHome, name: string): Promise<unknown> {
  const { pid, keeperPid, startedAt, restarts } = (await json(["status", name])) as Record<string, unknown>;
  return { pid, keeperPid, startedAt, restarts };
}

test("two clients exchange messages through dev while prod runs untouched", async () => {
  await withScratchHome(async (scratch) => {
    await scratch.json(["up", "dev", "prod"]);
    const prodBefore = await processesOf(scratch, "prod");
    const { url } = (await scratch.json(["status", "dev"])) as { url: string };
    const { stdout: token } = await scratch.run(["token", "dev"]);
    const { stdout: otherToken } = await scratch.run(["token", "prod"]);

    await expect(Client.open(url, otherToken.trim())).rejects.toThrow("401");
    const [reader, writer] = await Promise.all([Client.open(url, token.trim()), Client.open(url, token.trim())]);
    try {
      await reader.call("topic.subscribe", { topic: "builds" });
      const told = reader.next(({ method }) => method === "topic.message");
      await writer.call("topic.publish", { topic: "builds", data: { number: 42 } });
      expect((await told).params).toEqual({ topic: "builds", data: { number: 42 } });
    } finally {
      reader.close();
      writer.close();
    }
    expect(await processesOf(scratch, "prod")).toEqual(prodBefore);
  });
});
