/**
 * Positive control: the lock of most tools. `open(wx)`, the owner's pid and start time, unlink when the owner is dead.
 */
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

function startTime(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

export async function acquire({ directory, timeoutMs }) {
  const file = path.join(directory, "gateway.pid");
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    try {
      const fd = fs.openSync(file, "wx");
      fs.writeSync(fd, `${process.pid} ${startTime(process.pid)}`);
      fs.closeSync(fd);
      return async () => fs.unlinkSync(file);
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    try {
      const [pid, start] = fs.readFileSync(file, "latin1").split(" ");
      if (Number(pid) > 0 && startTime(pid) !== start) fs.unlinkSync(file);
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
    await sleep(1 + Math.random() * 2);
  }
  throw new Error("timed out");
}
