/**
 * Says whether a port is free right now, and whether it has a listener. The answer holds only for that moment: only the
 * exclusive bind itself promises more. Traffic never leaves this machine. Asking whether a port is free binds it for an
 * instant, so ask only when about to bind it.
 */
import { connect, createServer, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { errnoOf } from "../errors.ts";
import { isWildcardHost, reachableHost } from "./address.ts";
import { isPlainlyLocal } from "./local-address.ts";
import { coversAddress, readListeners } from "./sockets.ts";

/** `unknown`: this address cannot be checked from here; `errno` says why. */
export type PortProbe =
  | { readonly verdict: "free" }
  | { readonly verdict: "taken"; readonly errno: string }
  | { readonly verdict: "unknown"; readonly errno: string };

/** A listener on this machine answers a connect in well under a millisecond; this allows for a stopped process. */
const CONNECT_TIMEOUT_MS = 250;

/**
 * Asks the host whether `host:port` is free: loopback and wildcard addresses by a connect (which also finds a holder
 * that the bind of some systems would tolerate), then all addresses by a bind that is given back at once.
 */
export async function probePort(host: string, port: number): Promise<PortProbe> {
  for (const address of loopbackAddressesOf(host)) {
    if ((await knock(address, port)) === "answered") return { verdict: "taken", errno: "EADDRINUSE" };
  }
  return probeBind(host, port);
}

/**
 * Says whether there is a listener that a bind of `host:port` would collide with: loopback and wildcard addresses by a
 * connect, others by the host's socket table. Never takes the port, so it may be asked while another process is about to bind
 * it.
 */
export async function probeListener(host: string, port: number): Promise<"listening" | "silent" | "unknown"> {
  const addresses = loopbackAddressesOf(host);
  // Without a listener a loopback connect is refused at once, so one that hangs has met a listener with a full queue.
  for (const address of addresses) if (isMet(await knock(address, port))) return "listening";
  if (addresses.length > 0) return "silent";
  const listeners = readListeners();
  if (listeners === "unknown") return "unknown";
  const met = listeners.some((listener) => listener.port === port && coversAddress(listener, host) === "yes");
  return met ? "listening" : "silent";
}

/**
 * Says at the price of one connect that nothing listens where a bind of `host:port` would collide. False: something does, or `host`
 * is not a loopback address, so that only the host's socket table could tell.
 */
export async function isPlainlySilent(host: string, port: number): Promise<boolean> {
  if (isWildcardHost(host)) return false;
  const addresses = loopbackAddressesOf(host);
  for (const address of addresses) if ((await knock(address, port)) !== "refused") return false;
  return addresses.length > 0;
}

/** The loopback addresses at which a listener on `host` would be met; none for any other interface. */
function loopbackAddressesOf(host: string): readonly string[] {
  if (host === "localhost") return ["127.0.0.1", "::1"];
  if (isWildcardHost(host)) return reachableHost(host) === "::1" ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
  return host === "::1" || (isIP(host) === 4 && host.startsWith("127.")) ? [host] : [];
}

/** `failed`: no connection could be tried, for example since there is no descriptor left, or no such address. */
type Knock = "answered" | "refused" | "hanging" | "failed";

function isMet(knocked: Knock): boolean {
  return knocked === "answered" || knocked === "hanging";
}

function knock(address: string, port: number): Promise<Knock> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const settle = (outcome: Knock): void => {
      socket.destroy();
      resolve(outcome);
    };
    // In a process that was busy for so long the answer may be there already, and is looked at first.
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => setImmediate(settle, "hanging"));
    socket.once("connect", () => settle("answered"));
    socket.on("error", (error) => settle(errnoOf(error) === "ECONNREFUSED" ? "refused" : "failed"));
  });
}

/** Only the bind: nothing is sent. For callers that know the listeners already and ask about many ports. */
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

/** Says whether any port of `host` can be bound: of an IPv4 address that an interface has, and otherwise by a bind. */
export async function probeAddress(host: string): Promise<PortProbe> {
  // Node's list of interfaces says the same, and takes a millisecond to load and to make.
  return isPlainlyLocal(host) || isOwnIpv4(host) ? { verdict: "free" } : probeBind(host, 0);
}

/** An IPv6 address that an interface has may not be bound yet: the system looks whether another machine has it too. */
function isOwnIpv4(host: string): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family, address }) => family === "IPv4" && address === host),
  );
}
