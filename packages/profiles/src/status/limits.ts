/** Which of a profile's limits are enforced on this host, and by what. Changes nothing. */
import { canCapMemory, shellCommand } from "@lockkeeper/core/internal";
import type { Manifest } from "../manifest.ts";

/** What keeps a gateway below its memory limit. */
export type MemoryMaxBy = "systemd" | "cgroup";

/** Returns what would keep the profile below `--memory-max`; null when nothing can, or there is no such limit. */
export function memoryMaxBy({ memoryMaxBytes, service }: Manifest): MemoryMaxBy | null {
  if (memoryMaxBytes === undefined || service?.manager === "launchd") return null;
  if (service !== undefined) return "systemd";
  return canCapMemory() ? "cgroup" : null;
}

/** Returns a sentence for each limit of the profile that nothing here enforces. */
export function limitNotes(manifest: Manifest): readonly string[] {
  const { name, memoryMaxBytes, memoryRestartBytes, restartUnresponsiveMs, health } = manifest;
  const notes: string[] = [];
  if (memoryMaxBytes !== undefined && memoryMaxBy(manifest) === null) {
    const way = process.platform === "linux" ? `: ${shellCommand("lockkeeper", "service", "install", name)}` : "";
    notes.push(`--memory-max is not in force here without systemd or a control group of one's own${way}`);
  }
  if (memoryRestartBytes !== undefined && process.platform !== "linux") {
    notes.push("--memory-restart is not in force: this system does not tell what a process tree takes");
  }
  if (restartUnresponsiveMs !== undefined && health === "none") {
    notes.push("--restart-unresponsive never acts with --health none: nobody asks the gateway anything");
  }
  return notes;
}
