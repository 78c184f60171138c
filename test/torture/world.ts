/**
 * Where contenders live: at one path, at two paths of one place, or on one of two disks with equal inodes. Mounts are
 * made in a mount namespace that ends with the process that holds it, so none is left whatever happens.
 */
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @see TortureOptions.world */
export type WorldKind = "one" | "two-paths" | "two-disks";

/** A place to live, and how to get there. */
export interface Room {
  /** The command prefix that enters it; may be empty. */
  readonly enter: readonly string[];
  /** The lock's place as it is called there. */
  readonly directory: string;
}

/** The places of one run. */
export interface World {
  /** The world that this machine could make of the requested one. */
  readonly kind: WorldKind;
  /** The lock's place, as we reach it from outside. */
  readonly directory: string;
  /** The room of the n-th contender. */
  roomOf(n: number): Room;
  close(): Promise<void>;
}

/** Opens a world around `directory`, which exists and is empty. */
export async function openWorld(kind: WorldKind, directory: string, adapterUrl: string): Promise<World> {
  const here: Room = { enter: [], directory };
  if (kind === "one" || spawnSync("unshare", ["--mount", "nsenter", "--version"]).status !== 0) {
    return { kind: "one", directory, roomOf: () => here, close: async () => undefined };
  }
  const started: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    for (const child of started.toReversed()) await end(child);
  };
  try {
    if (kind === "two-paths") {
      const view = `${directory}-view`;
      mkdirSync(view);
      const enter = await mountApart(started, 'mount --bind "$0" "$1"', directory, view);
      return { kind, directory, roomOf: (n) => (n % 2 === 0 ? { enter, directory: view } : here), close };
    }
    const disk = 'mount -t tmpfs -o mode=700 tmpfs "$0"';
    const other = await mountApart(started, disk, directory);
    const enter = await mountApart(started, disk, directory);
    const [namespace = ""] = enter.slice(1);
    await startOwner(started, other, adapterUrl, directory);
    const fromOutside = `${namespace.replace("--mount=", "").replace("/ns/mnt", "/root")}${directory}`;
    return { kind, directory: fromOutside, roomOf: () => ({ enter, directory }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Mounts in its own namespace, which lives until its holder ends; returns the prefix that enters it. */
async function mountApart(
  started: ChildProcess[],
  mount: string,
  ...args: readonly string[]
): Promise<readonly string[]> {
  const script = `${mount} && echo ready && exec cat`;
  const holder = spawn("unshare", ["--mount", "sh", "-c", script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  started.push(holder);
  await ready(holder);
  return ["nsenter", `--mount=/proc/${holder.pid}/ns/mnt`];
}

/** Starts a process that owns the place there as long as the world lasts. */
async function startOwner(
  started: ChildProcess[],
  enter: readonly string[],
  adapterUrl: string,
  directory: string,
): Promise<void> {
  const file = [
    new URL("../bench/lock-holder.js", import.meta.url),
    new URL("../../bench/lock-holder.js", import.meta.url),
  ]
    .map((url) => fileURLToPath(url))
    .find((candidate) => existsSync(candidate));
  const [command = "", ...args] = [...enter, process.execPath, file ?? "lock-holder.js", adapterUrl, directory];
  const owner = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  started.push(owner);
  await ready(owner);
}

async function ready(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit").then(() => {
    throw new Error(`${child.spawnargs.join(" ")} ended before it was ready`);
  });
  const said = child.stdout === null ? gone : once(child.stdout, "data");
  await Promise.race([said, gone]);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
