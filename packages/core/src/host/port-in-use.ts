/** The one error for a port with another listener, and its sentence, which scripts and tests of other tools match word for word. Pure. */
import { GatewayLockError } from "../errors.ts";
import type { LockkeeperErrorDetails } from "../errors.ts";
import { gatewayUrl } from "./address.ts";

/** Returns the sentence for a port with another listener. */
export function alreadyListening(host: string, port: number): string {
  return `another gateway instance is already listening on ${gatewayUrl(host, port)}`;
}

/**
 * Returns the error for `host:port` with another listener.
 *
 * @param details another message than {@link alreadyListening}, the holder as evidence, or a better hint.
 */
export function portInUse(
  host: string,
  port: number,
  details: LockkeeperErrorDetails & { readonly message?: string } = {},
): GatewayLockError {
  const { message = alreadyListening(host, port), ...rest } = details;
  return new GatewayLockError("PORT_IN_USE", message, {
    hint: "Stop the process that holds the port, or choose another port.",
    ...rest,
  });
}
