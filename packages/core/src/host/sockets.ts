/**
 * Lists the listeners of this host and the processes that hold them. On Linux this takes one pass over `/proc/net/tcp{,6}` and
 * one over `/proc/<pid>/fd`, whatever the number of ports. Facts that the host does not give are unknown or absent, never
 * guessed. Sends nothing and opens no port.
 */
import { closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { errnoOf } from "../errors.ts";
import { canonicalAddress, canonicalBytes } from "./canonical-address.ts";
import type { CanonicalAddress } from "./canonical-address.ts";
import { shownCommand } from "./holder.ts";
import type { Holder, Listener } from "./listener.ts";
import { listProcessIds } from "./proc.ts";
import { findLsofHolders, readLsofListeners } from "./sockets-lsof.ts";

/** Where to look; tests point it at a tree of their own. */
export interface HostView {
  /** @default "/proc" */
  readonly procRoot?: string;
}

/** Source: include/net/tcp_states.h. */
const TCP_TIME_WAIT = "06";
const TCP_LISTEN = "0A";

/**
 * Returns every TCP listener of this network namespace, of all users, or `unknown` where the host does not list them.
 *
 * @param view.tables for IPv4 alone half of the price. @default both
 * @param view.ports the ports that are asked about: then the table is read to the end of its listeners, and not through all
 * connections. @default every port
 */
export function readListeners(
  view: HostView & { readonly tables?: readonly ["tcp"]; readonly ports?: ReadonlySet<number> } = {},
): readonly Listener[] | "unknown" {
  const { procRoot = "/proc", ports } = view;
  const lines = readTcpTables(procRoot, TCP_LISTEN, view.tables, ports);
  if (lines === "unknown") {
    const listed = view.procRoot === undefined ? readLsofListeners() : "unknown";
    return listed === "unknown" || ports === undefined ? listed : listed.filter(({ port }) => ports.has(port));
  }
  const listeners = lines.map(toListener);
  const withIpv4 = new Set(listeners.filter((listener) => listener.family === 4).map((listener) => listener.port));
  return listeners.map((listener) =>
    listener.address === "::" ? { ...listener, v6only: withIpv4.has(listener.port) ? "yes" : "unknown" } : listener,
  );
}

/**
 * Returns the local ports that only remember closed connections. They are not listeners and do not prevent a bind, so they
 * must not look like a conflict.
 */
export function readClosingPorts(view: HostView = {}): ReadonlySet<number> | "unknown" {
  const lines = readTcpTables(view.procRoot ?? "/proc", TCP_TIME_WAIT);
  return lines === "unknown" ? "unknown" : new Set(lines.map((line) => parsePort(line.local)));
}

/**
 * Returns the visible holder of each of `listeners`; a listener with a hidden holder is absent. A socket that several
 * processes share is reported for the one with the lowest pid among those looked at.
 *
 * @param options.among look only at these processes.
 */
export function findHolders(
  listeners: readonly Listener[],
  options: HostView & { readonly among?: readonly number[] } = {},
): ReadonlyMap<Listener, Holder> {
  const holders = new Map<Listener, Holder>();
  if (listeners.length === 0) return holders;
  const procRoot = options.procRoot ?? "/proc";
  const candidates = options.among ?? readProcessIds(procRoot);
  if (candidates === "unknown") return options.procRoot === undefined ? findLsofHolders(listeners) : holders;

  const wanted = new Map<string, Listener[]>();
  for (const listener of listeners) {
    const link = `socket:[${listener.inode}]`;
    wanted.set(link, [...(wanted.get(link) ?? []), listener]);
  }
  for (const pid of [...candidates].sort((a, b) => a - b)) {
    for (const link of readSocketLinks(procRoot, pid)) {
      const found = wanted.get(link);
      if (found === undefined) continue;
      wanted.delete(link);
      const holder = describeProcess(procRoot, pid);
      for (const listener of found) holders.set(listener, holder);
      if (wanted.size === 0) return holders;
    }
  }
  return holders;
}

/** Whether that process has the listener now; `false` where the host does not show its descriptors. Asks for nothing else. */
export function holdsListener(pid: number, { inode }: Listener): boolean {
  const wanted = `socket:[${inode}]`;
  for (const link of readSocketLinks("/proc", pid)) if (link === wanted) return true;
  return false;
}

/**
 * Whether binding `host` on the listener's port would collide with this listener. `::` counts as dual-stack unless it is known
 * to be IPv6 only. `localhost` stands for both loopback addresses; any other name could be any address, so it counts as a
 * collision.
 */
export function coversAddress(listener: Listener, host: string): "yes" | "no" {
  if (host === "localhost") {
    return coversAddress(listener, "127.0.0.1") === "yes" ? "yes" : coversAddress(listener, "::1");
  }
  const asked = canonicalAddress(host);
  if (asked === undefined) return "yes";
  return coversCanonical(listener, asked) ? "yes" : "no";
}

function coversCanonical(listener: Listener, asked: CanonicalAddress): boolean {
  const dualListener = listener.address === "::" && listener.v6only !== "yes";
  if (asked.address === "::") return true; // a dual-stack bind needs the port in both families
  if (asked.family === 6) {
    return listener.family === 6 && (listener.address === "::" || listener.address === asked.address);
  }
  if (dualListener) return true;
  if (listener.family === 6) return false;
  return listener.address === "0.0.0.0" || asked.address === "0.0.0.0" || listener.address === asked.address;
}

interface TcpLine {
  /** `<hex address>:<hex port>` */
  readonly local: string;
  readonly uid: number;
  readonly inode: string;
}

function readTcpTables(
  procRoot: string,
  state: string,
  names: readonly string[] = ["tcp", "tcp6"],
  ports?: ReadonlySet<number>,
): readonly TcpLine[] | "unknown" {
  // Sockets that only remember a connection are in use by nobody, and in the table all the same.
  const isEmpty = (name: string): boolean => state === TCP_LISTEN && isUnused(name, procRoot);
  const tables = names.map((name) => (isEmpty(name) ? "" : readTable(`${procRoot}/net/${name}`, ports !== undefined)));
  // A kernel without IPv6 has no tcp6; a host without tcp lists nothing.
  if (tables[0] === undefined) return "unknown";
  const lines: TcpLine[] = [];
  const mark = ` ${state} `;
  for (const table of tables) {
    if (table === undefined) continue;
    for (let at = table.indexOf(mark); at >= 0; at = table.indexOf(mark, at + 1)) {
      const end = table.indexOf("\n", at);
      const line = table.slice(table.lastIndexOf("\n", at) + 1, end < 0 ? undefined : end);
      if (ports !== undefined && !ports.has(parsePort(localOf(line)))) continue;
      const fields = line.split(" ").filter((field) => field !== "");
      const [, local, , status, , , , uid, , inode] = fields;
      if (local === undefined || status !== state || uid === undefined || inode === undefined) continue;
      lines.push({ local, uid: Number(uid), inode });
    }
  }
  return lines;
}

/**
 * Whether the table has no socket that is in use, as that of IPv6 on many hosts, and both in a fresh container. The kernel counts
 * these sockets, so the table need not be read. Source: net/ipv4/proc.c, sockstat_seq_show; net/ipv6/proc.c, sockstat6_seq_show.
 */
function isUnused(table: string, procRoot: string): boolean {
  const [file, line] = table === "tcp6" ? ["sockstat6", "TCP6: inuse 0\n"] : ["sockstat", "TCP: inuse 0 "];
  return `\n${readIfThere(`${procRoot}/net/${file}`) ?? ""}`.includes(`\n${line}`);
}

/**
 * So much is asked for at once. The kernel makes a table of this kind page by page and never parts a line: a request that leaves
 * room for a line in the smallest page of 4,096 bytes is not filled only at the table's end. Source: fs/seq_file.c, seq_read_iter.
 */
const REQUEST_BYTES = 3_072;

/**
 * Returns the text of a socket table. Does not read on to be told of its end, as for that the kernel walks over its whole table of
 * connections once more.
 *
 * @param listenersOnly whether to stop after the listeners; a few lines of other sockets may follow them.
 */
function readTable(path: string, listenersOnly: boolean): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const buffer = Buffer.allocUnsafe(REQUEST_BYTES);
    let text = "";
    for (;;) {
      const length = readSync(fd, buffer, 0, REQUEST_BYTES, null);
      text += buffer.toString("latin1", 0, length);
      if (length < REQUEST_BYTES) return text;
      if (listenersOnly && isBehindListeners(text)) return text;
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Whether the last whole line is not that of a listener. The kernel promises to list all listeners first. Source:
 * Documentation/networking/proc_net_tcp.rst
 */
function isBehindListeners(text: string): boolean {
  const end = text.lastIndexOf("\n");
  return !text.slice(text.lastIndexOf("\n", end - 1), end).includes(` ${TCP_LISTEN} `);
}

/** `   0: 0100007F:4965 00000000:0000 0A ...` */
function localOf(line: string): string {
  const from = line.indexOf(": ") + 2;
  return line.slice(from, line.indexOf(" ", from));
}

function toListener({ local, uid, inode }: TcpLine): Listener {
  const { family, address } = canonicalBytes(kernelWordsToBytes(local.slice(0, local.indexOf(":"))));
  return { family, address, port: parsePort(local), inode, uid };
}

function parsePort(local: string): number {
  return Number.parseInt(local.slice(local.indexOf(":") + 1), 16);
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The kernel prints each 32-bit word of an address in its own byte order. */
function kernelWordsToBytes(hex: string): readonly number[] {
  const bytes: number[] = [];
  for (let at = 0; at < hex.length; at += 8) {
    const word = [0, 2, 4, 6].map((offset) => Number.parseInt(hex.slice(at + offset, at + offset + 2), 16));
    bytes.push(...(IS_LITTLE_ENDIAN ? word.toReversed() : word));
  }
  return bytes;
}

function readProcessIds(procRoot: string): readonly number[] | "unknown" {
  try {
    return listProcessIds(procRoot);
  } catch {
    return "unknown";
  }
}

/** The `socket:[inode]` links of one process; none when it has ended or is hidden from us. */
function* readSocketLinks(procRoot: string, pid: number): Generator<string> {
  const directory = `${procRoot}/${pid}/fd`;
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return;
  }
  for (const name of names) {
    try {
      const link = readlinkSync(`${directory}/${name}`);
      if (link.startsWith("socket:")) yield link;
    } catch {
      // The descriptor has been closed in the meantime.
    }
  }
}

function describeProcess(procRoot: string, pid: number): Holder {
  const argv = (readIfThere(`${procRoot}/${pid}/cmdline`) ?? "").split("\0");
  const command = shownCommand(argv) || (readIfThere(`${procRoot}/${pid}/comm`) ?? "").trim();
  return { pid, command, user: ownerOf(`${procRoot}/${pid}`) };
}

function ownerOf(path: string): string {
  try {
    return userName(statSync(path).uid);
  } catch {
    return "unknown";
  }
}

/** The login name of `uid` on this host, or the number as text. */
function userName(uid: number): string {
  const entry = (readIfThere("/etc/passwd") ?? "").split("\n").find((line) => line.split(":")[2] === String(uid));
  return entry?.split(":")[0] ?? String(uid);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
