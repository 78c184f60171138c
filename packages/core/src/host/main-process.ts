/** Says whether the end of one process ends its whole container. Linux only: elsewhere never. */
import { readProcessName, readProcStat } from "./proc.ts";

/**
 * Small inits that wait for the one program that they started and end with it; `init` itself is not among them, because a
 * host's init has that name too. Source: their own documentation (`docker run --init` is `docker-init`, `podman run --init` is
 * `podman-init`).
 */
const ENDS_WITH_ITS_CHILD: ReadonlySet<string> = new Set(["tini", "docker-init", "podman-init", "catatonit"]);

/** Whether our container ends when process `pid` does: it is the first one, or the program of an init that has no other. */
export function isMainProcess(pid: number): boolean {
  if (process.platform !== "linux") return false;
  if (pid === 1) return true;
  try {
    const { parent, session } = readProcStat(pid);
    if (parent !== 1 || !ENDS_WITH_ITS_CHILD.has(readProcessName(1))) return false;
    // A detached process is a child of the init too, by adoption, but has a session of its own.
    return session === readProcStat(1).session;
  } catch {
    return false;
  }
}
