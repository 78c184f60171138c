/** The memory that profiles use. Loaded only by commands that show it. */
import { readTreeMemory } from "@lockkeeper/core/internal";
import type { ProfileStatus } from "./profile-status.ts";

/** Returns the statuses with the memory of running profiles, by one pass over the host's processes. */
export function withUsage<T extends ProfileStatus>(statuses: readonly T[]): readonly T[] {
  const memory = readTreeMemory(statuses.flatMap(({ pid }) => pid ?? []));
  return statuses.map((status) =>
    status.pid === null ? status : { ...status, memoryBytes: memory.get(status.pid)?.bytes ?? null },
  );
}
