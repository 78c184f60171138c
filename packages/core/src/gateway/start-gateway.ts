/**
 * Starts a gateway under its lock, for authors who embed one: first the lock, then the exclusive bind, then service; at the
 * end first the servers, then the lock. A gateway that loses its lock stops serving by itself.
 */
import { ownIdentity } from "../host/process-identity.ts";
import { acquireGatewayLock } from "../lock/gateway-lock.ts";
import type { GatewayLock, GatewayLockOptions } from "../lock/gateway-lock.ts";
import { hostGateway } from "./gateway-host.ts";
import type { Gateway, GatewayState } from "./gateway-host.ts";
import { KNOWN_HOST_OPTIONS, readHostOptions } from "./gateway-options.ts";
import type { GatewayHostOptions } from "./gateway-options.ts";

/** The options of the host, and the place of the lock. */
export interface StartGatewayOptions
  extends
    GatewayHostOptions,
    Pick<GatewayLockOptions, "lockDir" | "configPath" | "scope" | "profile" | "timeoutMs" | "onReclaim"> {}

const KNOWN_OPTIONS: Readonly<Record<string, true>> = {
  ...KNOWN_HOST_OPTIONS,
  lockDir: true,
  scope: true,
  configPath: true,
  profile: true,
  timeoutMs: true,
  onReclaim: true,
};

/**
 * Returns a gateway that holds its lock and listens. After an error no lock file of ours is left.
 *
 * @throws {GatewayLockError} LOCK_HELD, LOCK_UNSUPPORTED when the lock cannot be taken.
 * @throws {GatewayLockError} PORT_IN_USE, BIND_FAILED when the address cannot be bound.
 * @throws {LockkeeperError} UNSAFE_PATH when the lock directory is not safely ours; file errors with path and errno.
 * @throws {LockkeeperError} ABORTED when `signal` aborts before it listens.
 * @throws {TypeError} for an option that does not exist, naming the nearest, or that is wrong; for a `server` that listens already.
 *   Nothing was touched.
 */
export async function startGateway(options: StartGatewayOptions): Promise<Gateway> {
  const settings = readHostOptions(options, "startGateway", KNOWN_OPTIONS);
  const { host, port, signal } = settings;
  const { lockDir, configPath, scope, profile, timeoutMs, onReclaim } = options;
  const lock = await acquireGatewayLock({
    lockDir,
    configPath,
    scope,
    profile,
    timeoutMs,
    onReclaim,
    host,
    port,
    signal,
  });
  try {
    lock.update({ gateway: ownIdentity() });
    return underLock(await hostGateway(settings), lock, settings.onWarning);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The lock outlives the service: no other gateway may start while a socket is still ours. */
function underLock(gateway: Gateway, lock: GatewayLock, onWarning: (message: string) => void): Gateway {
  const released = gateway.closed.then(() => lock.release());
  const closed = released.catch((error: unknown) => {
    onWarning(`${gateway.url}: the lock could not be let go: ${String(error)}`);
  });
  const close = async (): Promise<void> => {
    await gateway.close();
    await released;
  };
  const stopServing = (): void => {
    onWarning(`${gateway.url}: ${String(lock.lost.reason)}; this gateway stops serving`);
    void gateway.close();
  };
  if (lock.lost.aborted) stopServing();
  else lock.lost.addEventListener("abort", stopServing, { once: true });
  return {
    url: gateway.url,
    host: gateway.host,
    port: gateway.port,
    get state(): GatewayState {
      return gateway.state;
    },
    closed,
    close,
    [Symbol.asyncDispose]: close,
  };
}
