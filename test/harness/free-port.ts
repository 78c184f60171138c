/** Ports for tests, asked from the operating system, never fixed. */
import getPort from "get-port";
import { createServer } from "node:net";
import type { Server } from "node:net";

export interface HeldPort {
  readonly port: number;
  /** Releases it; a second call does nothing. */
  readonly release: () => Promise<void>;
}

/** Returns a port on which this process listens: a stranger on the port. */
export async function holdPort(port: number = 0, host: string = "127.0.0.1"): Promise<HeldPort> {
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return { port: address.port, release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Returns a port that was free a moment ago, and that no other call in this process gets. */
export function freePort(host: string = "127.0.0.1"): Promise<number> {
  return getPort({ host, reserve: true });
}
