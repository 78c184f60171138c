/**
 * Ports for tests, each asked from the operating system. Tests run side by side, and a port that was free a moment ago
 * may be somebody else's now: so each worker has ranges of its own, below the ephemeral range, out of which the system
 * serves every connection and every listener that names no port. `vitest.config.ts` starts no more workers than ranges.
 */
import getPort from "get-port";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { networkInterfaces } from "node:os";

/** Why there is no loopback address of IPv6; undefined when there is one. */
export const NO_IPV6: string | undefined = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === "::1")
  ? undefined
  : "this machine has no ::1";

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

const WORKERS = 4;
const worker = Number(process.env["VITEST_POOL_ID"] ?? 0) % WORKERS;

/** Single ports are the first ones of blocks, 10,100 to 18,099, as a test may place a profile or a small pool there. */
const BLOCK = 50;
const BLOCKS = 40;

/**
 * Returns a port that was free a moment ago; no other call in this process gets it. For the first forty calls, nobody
 * asks for one of the 49 ports after it either.
 */
export function freePort(host: string = "127.0.0.1"): Promise<number> {
  return getPort({ host, port: portsOfWorker(), reserve: true });
}

/** Yields the first ports of this worker's blocks, from a random one on, then all second ones, and so on. */
function* portsOfWorker(): Generator<number> {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let place = 0; place < BLOCK; place++)
    for (let block = 0; block < BLOCKS; block++)
      yield 10_100 + BLOCK * (worker * BLOCKS + ((start + block) % BLOCKS)) + place;
}

/** Profiles are within 19,000 to 32,479. */
const PROFILES = 3_370;
const FIRST_PROFILE = 19_000 + worker * PROFILES;
let nextPlace = Math.floor(Math.random() * PROFILES);

/**
 * Returns the first of `span` ports for a profile. The other places of this worker are all given before one is given
 * again: homes know nothing of each other, and one may not have started its gateway yet when the next looks for a port.
 */
export function profilePlace(span: number): number {
  if (nextPlace + span > PROFILES) nextPlace = 0;
  const place = nextPlace;
  nextPlace += span;
  return FIRST_PROFILE + place;
}

/** How many ports a home uses at most while another test of the same file runs. */
const ROOM = 120;
const POOL = 1_500;
let nextPool = Math.floor(Math.random() * PROFILES);

/**
 * Returns a pool for the profiles of one home. It begins past the first ports of the homes before it: with the default
 * pool each home would give its first profile the same port.
 */
export function profilePool(): { readonly poolFirst: number; readonly poolLast: number } {
  if (nextPool + POOL > PROFILES) nextPool = 0;
  const poolFirst = FIRST_PROFILE + nextPool;
  nextPool += ROOM;
  return { poolFirst, poolLast: poolFirst + POOL - 1 };
}
