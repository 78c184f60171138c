/** A receiver of webhooks that behaves as the test tells it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { HookMessage } from "../../src/hooks/hook-news.ts";

export interface Receiver {
  readonly url: string;
  readonly received: readonly HookMessage[];
  readonly requests: readonly IncomingMessage[];
  close(): Promise<void>;
}

/** Answers each request with `answer` once it has read the body; by default with 204. */
export async function receiver(
  answer: (response: ServerResponse, count: number) => void = (response) => response.writeHead(204).end(),
): Promise<Receiver> {
  const received: HookMessage[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => (text += part));
    request.on("end", () => {
      received.push(JSON.parse(text) as HookMessage);
      answer(response, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://user:canary-password@127.0.0.1:${port}/canary-path?token=canary-query`,
    received,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
