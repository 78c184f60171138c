/**
 * Listeners and their holders where there is no /proc (macOS), as `lsof` prints them. Untested, because no such host was
 * available. Only `sockets.ts` may call it.
 */
import { execFileSync } from "node:child_process";
import { shownCommand } from "./holder.ts";
import type { Holder, Listener } from "./listener.ts";

const LSOF_TIMEOUT_MS = 3_000;

/** One record per descriptor; the fields are `p` pid, `u` uid, `f` descriptor, `t` IPv4 or IPv6, `n` address:port. */
export function readLsofListeners(): readonly Listener[] | "unknown" {
  if (process.platform !== "darwin") return "unknown";
  const output = run("lsof", ["-nP", "-iTCP", "-sTCP:LISTEN", "-F", "pufnt"]);
  if (output === undefined) return "unknown";
  const listeners: Listener[] = [];
  const last: Record<string, string> = {};
  for (const line of output.split("\n")) {
    const field = line.slice(0, 1);
    last[field] = line.slice(1);
    const match = field === "n" ? /^(.*):(\d+)$/u.exec(line.slice(1)) : null;
    if (match === null) continue;
    const family = last["t"] === "IPv6" ? 6 : 4;
    const shown = (match[1] ?? "").replace(/^\[|\]$/gu, "");
    const address = shown === "*" ? (family === 6 ? "::" : "0.0.0.0") : shown;
    // There is no inode to name the socket by: process and descriptor do.
    const inode = `${last["p"]}/${last["f"]}`;
    listeners.push({ family, address, port: Number(match[2]), inode, uid: Number(last["u"]) });
  }
  return listeners;
}

/** The process behind each listener of {@link readLsofListeners}; absent when ps does not know it any more. */
export function findLsofHolders(listeners: readonly Listener[]): ReadonlyMap<Listener, Holder> {
  const holders = new Map<Listener, Holder>();
  for (const listener of listeners) {
    const pid = Number(listener.inode.split("/")[0]);
    const fields = Number.isInteger(pid) ? run("ps", ["-o", "user=,command=", "-p", String(pid)]) : undefined;
    const match = /^(\S+)\s+(.*)$/u.exec((fields ?? "").trim());
    if (match !== null)
      holders.set(listener, { pid, user: match[1] ?? "", command: shownCommand((match[2] ?? "").split(" ")) });
  }
  return holders;
}

function run(command: string, argv: readonly string[]): string | undefined {
  try {
    return execFileSync(command, argv, {
      encoding: "utf8",
      timeout: LSOF_TIMEOUT_MS,
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return undefined;
  }
}
