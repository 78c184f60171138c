/**
 * Reads the kernel's list of locks in /proc/locks, without taking a lock. The list spans all pid namespaces and names a lock's
 * file, not its owner. It names a file by the device of its file system and its inode. `stat` may report another device
 * (btrfs, overlay), and equal inode numbers are common on fresh disks, so both numbers are read in the kernel's own form.
 * Linux only. Source: proc_locks(5), proc_pid_fdinfo(5), proc_pid_mountinfo(5), fs/locks.c.
 */
import { fstatSync, readFileSync } from "node:fs";

/** A file as the kernel's list names it: `<major>:<minor>:<inode>`, the device in hexadecimal. */
export type KernelFile = string;

/** One reading of the kernel's list of locks. */
export class KernelLockTable {
  readonly #text: string;

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
    for (const line of this.#linesOf(file)) if (/ (OFDLCK|POSIX) /.test(line)) return true;
    return false;
  }

  /** How many locks are held on exactly that byte of that file. */
  countMarks(file: KernelFile, offset: number): number {
    const needle = ` ${file} ${offset} ${offset}\n`;
    let count = 0;
    for (let at = this.#text.indexOf(needle); at >= 0; at = this.#text.indexOf(needle, at + 1)) count += 1;
    return count;
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

/** The device of each mounted file system, by the number of its mount. Read at the first use. */
export class MountDevices {
  #devices: ReadonlyMap<string, string> | undefined;

  /** Returns the device behind the mount as the kernel's list of locks prints it; undefined where it is unknown. */
  find(mount: string): string | undefined {
    this.#devices ??= readMountDevices();
    return this.#devices.get(mount);
  }
}

/** Returns the name in the kernel's list for the file that `fd` has open; undefined where the host has none. */
export function kernelFileOf(fd: number, mounts: MountDevices): KernelFile | undefined {
  const info = readIfThere(`/proc/self/fdinfo/${fd}`) ?? "";
  const mount = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
  const device = mount === undefined ? undefined : mounts.find(mount);
  // Before Linux 5.14 only `stat` reports the inode; on most file systems it is the same.
  const inode = /^ino:\s*(\d+)$/m.exec(info)?.[1] ?? String(fstatSync(fd, { bigint: true }).ino);
  return device === undefined ? undefined : `${device}:${inode}`;
}

/**
 * Returns the name in the kernel's list for the file that `fd` itself has locked, read from the descriptor's own `lock:`
 * line.
 */
export function kernelFileOfOwnLock(fd: number): KernelFile | undefined {
  return / ([0-9a-f]+:[0-9a-f]+:\d+) \d+ \w+$/m.exec(readIfThere(`/proc/self/fdinfo/${fd}`) ?? "")?.[1];
}

function readMountDevices(): ReadonlyMap<string, string> {
  const devices = new Map<string, string>();
  for (const line of (readIfThere("/proc/self/mountinfo") ?? "").split("\n")) {
    const [mount = "", , device = ""] = line.split(" ", 3);
    const [major, minor] = device.split(":").map(Number);
    if (major !== undefined && minor !== undefined) devices.set(mount, `${hex(major)}:${hex(minor)}`);
  }
  return devices;
}

function hex(number: number): string {
  return number.toString(16).padStart(2, "0");
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
