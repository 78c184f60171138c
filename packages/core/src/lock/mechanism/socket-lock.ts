/**
 * The fallback where the kernel lock is not to be had: an abstract Unix socket named after the lock's path, held for life.
 * Linux only. It excludes within one network namespace and ends with its process; it cannot be handed to a child, and any
 * user of the machine may squat on its name. The claim above it sees to what a socket cannot: other namespaces and hosts.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
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

/** Takes the socket that stands for `path`, without waiting. */
export async function trySocketLock(path: string): Promise<SocketLock | "refused"> {
  const server = createServer((connection) => connection.destroy());
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path: socketName(path), exclusive: true }, resolve);
    });
  } catch (error) {
    if (errnoOf(error) === "EADDRINUSE") return "refused";
    throw fileError(error, "bind the lock socket of", path);
  }
  // As a lock on a file would not keep the process alive either.
  server.unref();
  let released: Promise<void> | undefined;
  return {
    release() {
      released ??= new Promise((resolve) => {
        server.close(() => resolve());
      });
      return released;
    },
  };
}

function socketName(path: string): string {
  const place = `${realpathSync(dirname(path))}/${basename(path)}`;
  const name = `\0lockkeeper-${createHash("sha256").update(place).digest("hex")}-`;
  return name.padEnd(NAME_BYTES, "x");
}
