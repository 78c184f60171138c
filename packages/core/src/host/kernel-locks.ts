/**
 * Reads the kernel's list of locks in /proc/locks, without taking a lock. The list spans all pid namespaces and names a lock's
 * file, not its owner. It names a file by the device of its file system and its inode. `stat` may report another device
 * (btrfs, overlay), and equal inode numbers are common on fresh disks, so both numbers are read in the kernel's own form.
 * Linux only. Source: proc_locks(5), proc_pid_fdinfo(5), proc_pid_mountinfo(5), fs/locks.c.
 */
import { fstatSync, readFileSync, realpathSync } from "node:fs";

import { errnoOf } from "../errors.ts";
import { valueIn } from "./proc.ts";

const OUT_OF_DESCRIPTORS: ReadonlySet<string | undefined> = new Set(["EMFILE", "ENFILE"]);

/** A file as the kernel's list names it: `<major>:<minor>:<inode>`, the device in hexadecimal. */
export type KernelFile = string;

/** One reading of the kernel's list of locks. */
export class KernelLockTable {
  readonly #text: string;
  #marked: ReadonlySet<KernelFile> | undefined;

  private constructor(text: string) {
    this.#text = text;
  }

  /**
   * Reads the list; undefined where the host has none. The kernel waits for all its cores to produce it, which may take
   * milliseconds.
   */
  static read(): KernelLockTable | undefined {
    const text = readIfThere("/proc/locks");
    return text === undefined ? undefined : new KernelLockTable(text);
  }

  /** Whether a lock that conflicts with ours is held on that file. */
  isLocked(file: KernelFile): boolean {
    for (const line of this.#linesOf(file)) if (line.includes(" OFDLCK ") || line.includes(" POSIX ")) return true;
    return false;
  }

  /** How many locks are held on exactly that byte of that file. */
  countMarks(file: KernelFile, offset: number): number {
    const needle = ` ${file} ${offset} ${offset}\n`;
    let count = 0;
    for (let at = this.#text.indexOf(needle); at >= 0; at = this.#text.indexOf(needle, at + 1)) count += 1;
    return count;
  }

  /** Returns the files with listed locks that begin at `offset` or later. Read once: later calls get the answer for the first `offset`. */
  filesLockedFrom(offset: number): ReadonlySet<KernelFile> {
    if (this.#marked === undefined) {
      const marked = new Set<KernelFile>();
      for (const { file, start } of this.#fileLocks()) if (start >= offset) marked.add(file);
      this.#marked = marked;
    }
    return this.#marked;
  }

  /**
   * Whether it lists a lock of an open file, the kind that our owners take, on any other file. Locks that begin at byte `marks` or
   * later do not count: their owner has locked its file too.
   */
  listsOthers(files: ReadonlySet<KernelFile>, marks: number): boolean {
    for (const { file, start } of this.#fileLocks()) if (start < marks && !files.has(file)) return true;
    return false;
  }

  /** The locks of open files that are held. Source: fs/locks.c, lock_get_status. */
  *#fileLocks(): Generator<{ readonly file: KernelFile; readonly start: number }> {
    for (const [, file = "", start] of this.#text.matchAll(/: OFDLCK .* (\S+:\S+:\d+) (\d+) \w+$/gm)) {
      yield { file, start: Number(start) };
    }
  }

  *#linesOf(file: KernelFile): Generator<string> {
    const needle = ` ${file} `;
    for (let at = this.#text.indexOf(needle); at >= 0; at = this.#text.indexOf(needle, at + 1)) {
      const end = this.#text.indexOf("\n", at);
      const line = this.#text.slice(this.#text.lastIndexOf("\n", at) + 1, end < 0 ? undefined : end);
      // An arrow marks a lock that is only waited for.
      if (!line.includes(" -> ")) yield line;
    }
  }
}

/** The file systems that are mounted here. Read at the first use. Source: proc_pid_mountinfo(5). */
export class MountTable {
  readonly #devices = new Map<string, string | undefined>();
  #text: string | undefined;

  /** Returns the device behind the mount as the kernel's list of locks prints it; undefined where it is unknown. */
  find(mount: string): string | undefined {
    if (!this.#devices.has(mount)) this.#devices.set(mount, this.#look(mount));
    return this.#devices.get(mount);
  }

  /** Whether something is mounted below the directory; `true` also where the host does not tell. */
  hasBelow(directory: string): boolean {
    const text = this.#read();
    // A line may have it in another place, as the source of a mount: then something may be mounted there, too.
    return text.trim() === "" || text.includes(` ${inTable(realpathSync.native(directory))}/`);
  }

  #look(mount: string): string | undefined {
    const text = this.#read();
    const at = text.indexOf(`\n${mount} `);
    const [, , device = ""] = at < 0 ? [] : text.slice(at + 1, text.indexOf("\n", at + 1)).split(" ", 3);
    const [major, minor] = device.split(":");
    return major === undefined || minor === undefined ? undefined : `${hex(major)}:${hex(minor)}`;
  }

  /** Each line of it begins behind a line feed and ends before one. */
  #read(): string {
    return (this.#text ??= `\n${readIfThere("/proc/self/mountinfo") ?? ""}`);
  }
}

/** A path as the table has it: blanks and the like are written as octal numbers. Source: show_mountinfo of fs/proc_namespace.c */
function inTable(path: string): string {
  return path.replaceAll(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** Returns the name in the kernel's list for the file that `fd` has open; undefined where the host has none. */
export function kernelFileOf(fd: number, mounts: MountTable): KernelFile | undefined {
  const info = readIfThere(`/proc/self/fdinfo/${fd}`) ?? "";
  const mount = valueIn(info, "mnt_id");
  const device = mount === undefined ? undefined : mounts.find(mount);
  // Before Linux 5.14 only `stat` reports the inode; on most file systems it is the same.
  const inode = valueIn(info, "ino") ?? String(fstatSync(fd, { bigint: true }).ino);
  return device === undefined ? undefined : `${device}:${inode}`;
}

/**
 * Returns the name in the kernel's list for the file that `fd` itself has locked, read from the descriptor's own `lock:`
 * line.
 */
export function kernelFileOfOwnLock(fd: number): KernelFile | undefined {
  return / ([0-9a-f]+:[0-9a-f]+:\d+) \d+ \w+$/m.exec(readIfThere(`/proc/self/fdinfo/${fd}`) ?? "")?.[1];
}

function hex(number: string): string {
  return Number(number).toString(16).padStart(2, "0");
}

/** Fails when this process, or the host, may open no more files: then the host has not said that there is none. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (OUT_OF_DESCRIPTORS.has(errnoOf(error))) throw error;
    return undefined;
  }
}
