/**
 * The third layer of the gateway lock: the exclusive TCP bind, and the two messages that a failed one may have.
 * A server that is bound here listens on exactly the one address asked for: no second `::1` listener, no sharing with
 * cluster workers, no fallback to another port. Called by the gateway host only.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Server } from "node:net";
import { GatewayLockError, LockkeeperError, errnoOf, throwIfAborted } from "../errors.ts";
import { gatewayUrl } from "../host/address.ts";
import { portInUse } from "../host/port-in-use.ts";

/** A name that takes longer to resolve than this is refused. */
const RESOLVE_TIMEOUT_MS = 5_000;

/**
 * How many connections the kernel may queue until they are accepted. With Node's own 511, a thousand clients that reconnect at
 * once after a restart make each other, and health probes, wait a second for a retransmission.
 */
export const BACKLOG = 4_096;

/** What {@link listenExclusively} binds. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The server listens on exactly `host:port` when this returns; when it throws, the server holds no socket.
 *
 * @throws {GatewayLockError} PORT_IN_USE when another process listens there already.
 * @throws {GatewayLockError} BIND_FAILED when the system refuses the bind for any other reason.
 * @throws {LockkeeperError} ABORTED when `signal` aborts first.
 */
export async function listenExclusively(server: Server, options: ListenOptions): Promise<void> {
  const { host, port, signal } = options;
  const how = `before listening on ${gatewayUrl(host, port)}`;
  try {
    throwIfAborted(signal, how);
    const address = await resolveHost(host);
    throwIfAborted(signal, how);
    await bind(server, address, port);
  } catch (error) {
    throw bindError(error, host, port);
  }
}

/** Resolved here, because the look-up of `listen` can be neither bounded nor cancelled. */
async function resolveHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the name ${host} did not resolve within ${RESOLVE_TIMEOUT_MS} ms`));
    }, RESOLVE_TIMEOUT_MS);
  });
  try {
    const { address } = await Promise.race([lookup(host), tooLate]);
    return address;
  } finally {
    clearTimeout(timer);
  }
}

/** The kernel answers a bind of a numeric address at once, so there is nothing to wait for or to abort. */
function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onListening = (): void => {
      server.off("error", onError);
      resolve();
    };
    const onError = (error: Error): void => {
      server.off("listening", onListening);
      reject(error);
    };
    server.once("listening", onListening);
    server.once("error", onError);
    server.listen({ host, port, exclusive: true, backlog: BACKLOG });
  });
}

function bindError(error: unknown, host: string, port: number): LockkeeperError {
  if (error instanceof LockkeeperError) return error;
  const url = gatewayUrl(host, port);
  if (errnoOf(error) === "EADDRINUSE") {
    return portInUse(host, port, { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new GatewayLockError("BIND_FAILED", `failed to bind gateway socket on ${url}: ${reason}`, {
    cause: error,
    hint: "Check that the host is an address of this machine and that the port may be used.",
  });
}
