/**
 * Is this port free for us right now, and does anybody listen on it? The answer is true for the moment it was given and
 * promises nothing for the next: only the exclusive bind itself does. Traffic goes to this machine alone, never further.
 * To ask whether a port is free takes it for an instant, which only who is about to bind it may do.
 */
import { connect, createServer, isIP } from "node:net";
import { errnoOf } from "../errors.ts";
import { coversAddress, readListeners } from "./sockets.ts";

/** `unknown`: the address cannot be judged from here; `errno` says why. */
export type PortProbe =
  | { readonly verdict: "free" }
  | { readonly verdict: "taken"; readonly errno: string }
  | { readonly verdict: "unknown"; readonly errno: string };

/** A listener on this machine answers a connect in well under a millisecond; this allows for a stopped process. */
const CONNECT_TIMEOUT_MS = 250;

/**
 * Asks the host whether `host:port` can be had: loopback and wildcard addresses by a connect (which also finds a holder
 * that the bind of some systems would tolerate), then all addresses by a bind that is given back at once.
 */
export async function probePort(host: string, port: number): Promise<PortProbe> {
  for (const address of loopbackAddressesOf(host)) {
    if (await answers(address, port)) return { verdict: "taken", errno: "EADDRINUSE" };
  }
  return probeBind(host, port);
}

/**
 * Says whether somebody listens where a bind of `host:port` would meet him. Never takes the port: it may be asked while
 * somebody else is about to bind it.
 */
export async function probeListener(host: string, port: number): Promise<"listening" | "silent" | "unknown"> {
  const listeners = readListeners();
  if (listeners !== "unknown") {
    const met = listeners.some((listener) => listener.port === port && coversAddress(listener, host) === "yes");
    return met ? "listening" : "silent";
  }
  const addresses = loopbackAddressesOf(host);
  for (const address of addresses) if (await answers(address, port)) return "listening";
  return addresses.length === 0 ? "unknown" : "silent";
}

/** The loopback addresses at which a listener on `host` would be met; none for any other interface. */
function loopbackAddressesOf(host: string): readonly string[] {
  if (host === "localhost" || host === "::") return ["127.0.0.1", "::1"];
  if (host === "0.0.0.0") return ["127.0.0.1"];
  return host === "::1" || (isIP(host) === 4 && host.startsWith("127.")) ? [host] : [];
}

function answers(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.on("error", () => settle(false));
  });
}

/** The bind alone: nothing is sent anywhere. For who knows the listeners already, and asks about many ports. */
export function probeBind(host: string, port: number): Promise<PortProbe> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      const errno = errnoOf(error) ?? "unknown error";
      resolve({ verdict: errno === "EADDRINUSE" ? "taken" : "unknown", errno });
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve({ verdict: "free" })));
  });
}
