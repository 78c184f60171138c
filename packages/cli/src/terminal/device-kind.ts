/** What an open file is, without Node's terminal module, which takes a tenth of the time of Node's own start to load. */
import type { Stats } from "node:fs";
import { fstatSync, statSync } from "node:fs";
import { fileKind } from "@lockkeeper/core/internal";

/** Distinguishes a terminal from files, pipes and devices such as /dev/null. A serial line counts as one. */
export function mayBeTerminal(fd: number): boolean {
  const stats = fstatSync(fd);
  if (fileKind(stats) !== "character device") return false;
  const kind = kindOf(stats);
  return kind !== MEMORY_DEVICES && kind !== kindOf(statSync("/dev/null", { throwIfNoEntry: false }));
}

/** The kind of `/dev/null` on Linux. Source: its Documentation/admin-guide/devices.txt */
const MEMORY_DEVICES = process.platform === "linux" ? 1 : undefined;

/** The major number; on every system at least the low byte is the minor one. */
function kindOf(device: Stats | undefined): number | undefined {
  return device === undefined ? undefined : device.rdev >>> 8;
}
