/**
 * The fallback where the kernel lock is not to be had: an abstract Unix socket named after the lock's place, held for life.
 * Linux only. It excludes within one network namespace and ends with its process; it cannot be handed to a child, and any
 * user of the machine may squat on its name. The claim above it sees to what a socket cannot: other namespaces and hosts.
 */
import { createHash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { basename, dirname } from "node:path";

import { errnoOf, fileError } from "../../errors.ts";

/** A held socket; `release` lets it go and is harmless twice. */
export interface SocketLock {
  release(): Promise<void>;
}

/**
 * Node fills shorter abstract names up with zeros in some versions and not in others: only a name of full length means
 * the same socket to all of them. Source: unix(7), sun_path has 108 bytes.
 */
const NAME_BYTES = 108;

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
    for (const place of placesOf(path)) servers.push(await listenAs(place));
  } catch (error) {
    await release();
    if (errnoOf(error) === "EADDRINUSE") return "refused";
    throw fileError(error, "bind the lock socket of", path);
  }
  return { release };
}

async function listenAs(place: string): Promise<Server> {
  const server = createServer((connection) => connection.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: socketName(place), exclusive: true }, resolve);
  });
  // As a lock on a file would not keep the process alive either.
  return server.unref();
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function placesOf(path: string): readonly string[] {
  const directory = realpathSync(dirname(path));
  const { dev, ino } = statSync(directory, { bigint: true });
  return [`${dev}:${ino}/${basename(path)}`, `${directory}/${basename(path)}`];
}

function socketName(place: string): string {
  const name = `\0lockkeeper-${createHash("sha256").update(place).digest("hex")}-`;
  return name.padEnd(NAME_BYTES, "x");
}
