/**
 * The fallback where the kernel lock is not available: an abstract Unix socket named after the lock's place, held for the
 * owner's lifetime. Linux only. It excludes within one network namespace and ends with its process. It cannot be passed to a
 * child, and any user of the machine may occupy its name. The claim that uses it covers other namespaces and hosts.
 */
import type { Server } from "node:net";
import { createServer } from "node:net";

import { errnoOf, fileError } from "../../errors.ts";
import { lockSocketNames } from "../../host/lock-socket.ts";

/** A held socket; `release` is harmless twice. */
export interface SocketLock {
  release(): Promise<void>;
}

/**
 * Takes the sockets that stand for `path`, without waiting: one named after the directory itself, whatever path leads to it, and one
 * named after its path, as release 0.1.0 does.
 */
export async function trySocketLock(path: string): Promise<SocketLock | "refused"> {
  const servers: Server[] = [];
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => {
    released ??= Promise.all(servers.map(closeServer)).then(() => undefined);
    return released;
  };
  try {
    for (const name of lockSocketNames(path)) servers.push(await listenAs(name));
  } catch (error) {
    await release();
    if (errnoOf(error) === "EADDRINUSE") return "refused";
    throw fileError(error, "bind the lock socket of", path);
  }
  return { release };
}

async function listenAs(name: string): Promise<Server> {
  const server = createServer((connection) => connection.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: name, exclusive: true }, resolve);
  });
  // A lock on a file would not keep the process alive either.
  return server.unref();
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
