/**
 * What this host does with its ports: listeners, the ephemeral range and reserved ports, read together; and whether the ports
 * of one block can be bound now.
 */
import { probeBind, readListeners } from "@lockkeeper/core/internal";
import type { Listener } from "@lockkeeper/core/internal";
import { readFileSync } from "node:fs";
import { isPort } from "../port-number.ts";
import type { PortRange } from "./port-plan.ts";

/** What this host does with its ports. */
export interface HostPorts {
  readonly listeners: readonly Listener[] | "unknown";
  /** The range for outgoing connections. */
  readonly ephemeral: PortRange & { readonly source: "read" | "assumed" };
  readonly reserved: readonly PortRange[];
  /** Binding a port below this one needs a privilege. */
  readonly unprivilegedFrom: number;
}

/** Where to read the host's files; for tests. */
export interface HostPortsView {
  /** @default "/proc" */
  readonly procRoot?: string;
}

/** Source: RFC 6335, section 6, "Dynamic Ports"; what macOS and Windows use unless told otherwise. */
const ASSUMED_EPHEMERAL = { first: 49_152, last: 65_535 };

/** Returns what the host does with its ports. Never fails: a missing fact is `unknown` or `assumed`. */
export function readHostPorts(view: HostPortsView = {}): HostPorts {
  const ipv4 = `${view.procRoot ?? "/proc"}/sys/net/ipv4`;
  const [first, last] = numbersIn(`${ipv4}/ip_local_port_range`);
  const told = first !== undefined && last !== undefined;

  return {
    listeners: readListeners(view),
    ephemeral: told ? { first, last, source: "read" } : { ...ASSUMED_EPHEMERAL, source: "assumed" },
    reserved: parseRanges(textOf(`${ipv4}/ip_local_reserved_ports`)),
    unprivilegedFrom: readUnprivilegedFrom(view),
  };
}

/** Returns the first port that needs no privilege. Source: the kernel's ip-sysctl; 1024 where it is not shown. */
export function readUnprivilegedFrom({ procRoot = "/proc" }: HostPortsView = {}): number {
  return numbersIn(`${procRoot}/sys/net/ipv4/ip_unprivileged_port_start`)[0] ?? 1024;
}

/** A port of a block that is not free, and why. */
export interface UnusablePort {
  readonly port: number;
  readonly verdict: "taken" | "unknown";
  readonly errno: string;
}

/**
 * Returns the highest port of the block that is not free on `host` now, or undefined when all are free; a search continues
 * after it. Each port is bound once and released, which also finds sockets that are bound but do not listen. Where the host
 * does not list its listeners, every local address is tried, as the list would have covered them.
 */
export async function findUnusablePort(
  host: string,
  block: PortRange,
  listeners: HostPorts["listeners"],
): Promise<UnusablePort | undefined> {
  for (let port = block.last; port >= block.first; port -= 1) {
    const probe = await probeBind(host, port);
    if (probe.verdict !== "free") return { port, verdict: probe.verdict, errno: probe.errno };
    if (listeners === "unknown" && !(await isFreeEverywhere(port))) {
      return { port, verdict: "taken", errno: "EADDRINUSE" };
    }
  }
  return undefined;
}

/**
 * get-port tries all local addresses, and answers with another port when one of them is taken. It is not used for a single
 * address, because it does not distinguish taken from forbidden and a bare bind is ten times cheaper.
 */
async function isFreeEverywhere(port: number): Promise<boolean> {
  const { clearLockedPorts, default: getPort } = await import("get-port");
  try {
    return (await getPort({ port })) === port;
  } finally {
    // Otherwise it would regard the port as used for half a minute.
    clearLockedPorts();
  }
}

/** Source: ip_local_reserved_ports in the kernel's ip-sysctl.rst: `8080,9148-9150`. */
function parseRanges(text: string): readonly PortRange[] {
  return text
    .trim()
    .split(",")
    .flatMap((part) => {
      const [first, last = first] = part.split("-").map(Number);
      return isPort(first) && isPort(last) ? [{ first, last }] : [];
    });
}

function numbersIn(path: string): readonly number[] {
  const text = textOf(path).trim();
  // Linux puts a tab between them, gVisor a space.
  return text === "" ? [] : text.replaceAll("\t", " ").split(" ").map(Number);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
