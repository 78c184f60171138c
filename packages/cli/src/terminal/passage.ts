/**
 * Writes any amount of output without blocking the process: a reader that does not read (a full pipe, a terminal paused with
 * Ctrl-S) makes only the writer wait, while timers and signals go on. Node's own streams block on terminals and buffer without
 * limit on a full pipe.
 */
import * as fs from "node:fs";
import { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf } from "@lockkeeper/core/internal";

/** Output in order to one descriptor, a slow or a full one too. */
export interface Passage {
  /** Resolves when the bytes were written. Rejects with the system's error when the reader has gone. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Drops unwritten output. */
  readonly close: () => void;
}

/** How soon a terminal that took nothing is tried again. */
const RETRY_MS = 20;

/** Opens a passage to the target of `fd`. Nothing else may write to `fd` afterwards. */
export function openPassage(fd: number): Passage {
  const stats = fs.fstatSync(fd);
  if (stats.isFIFO() || stats.isSocket()) return throughSocket(fd);
  if (stats.isCharacterDevice()) return throughDevice(fd);
  return { write: async (bytes) => writeWhole(fd, bytes), close: () => undefined };
}

function throughSocket(fd: number): Passage {
  const socket = new Socket({ fd, readable: false, writable: true });
  // Each write answers for itself.
  socket.on("error", () => undefined);
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error instanceof Error ? reject(error) : resolve()));
      }),
    close: () => void socket.destroy(),
  };
}

/** Uses our own non-blocking descriptor, because other processes share the terminal's and expect it to block. */
function throughDevice(shared: number): Passage {
  const fd = reopen(shared);
  const closed = new AbortController();
  return {
    async write(bytes) {
      for (let rest = bytes; rest.length > 0;) {
        if (closed.signal.aborted) return;
        try {
          rest = rest.subarray(fs.writeSync(fd, rest));
        } catch (error) {
          if (errnoOf(error) !== "EAGAIN") throw error;
          await delay(RETRY_MS);
        }
      }
    },
    close: () => closed.abort(),
  };
}

function reopen(fd: number): number {
  const { O_WRONLY, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;
  try {
    return fs.openSync(`/dev/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // Another user's terminal, after su: write to it in the normal way.
    return fd;
  }
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(fs.writeSync(fd, rest));
}
