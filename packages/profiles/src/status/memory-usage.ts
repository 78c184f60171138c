/** What profiles take of the host's memory. Loaded only by those who show it. */
import { readTreeMemory } from "@lockkeeper/core";
import type { ProfileStatus } from "./profile-status.ts";

/** Returns the statuses with the memory of those that run: one look at the host's processes for all. */
export function withUsage<T extends ProfileStatus>(statuses: readonly T[]): readonly T[] {
  const memory = readTreeMemory(statuses.flatMap(({ pid }) => pid ?? []));
  return statuses.map((status) =>
    status.pid === null ? status : { ...status, memoryBytes: memory.get(status.pid)?.bytes ?? null },
  );
}
