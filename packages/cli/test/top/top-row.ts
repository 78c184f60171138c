/** A running profile as a row of the live view, for the tests in this folder. */
import type { TopRow } from "../../src/top/top-state.ts";

export function topRow(name: string, facts: Partial<TopRow> = {}): TopRow {
  return {
    name,
    state: "running",
    reason: null,
    isCurrent: false,
    isProtected: false,
    ports: "20000-20009",
    health: "ok",
    restarts: 0,
    startedAt: "2026-01-01T00:00:00Z",
    memoryLimitBytes: null,
    memoryBytes: 1024,
    cpuPercent: 1,
    lastLine: "",
    ...facts,
  };
}
