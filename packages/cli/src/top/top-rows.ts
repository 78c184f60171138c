/** Profiles as lines of the live view: as planned before anything is known of them, and as they are. Pure. */
import type { PlannedProfile, ProfileStatus } from "@lockkeeper/profiles";
import { describeHealth } from "../status-table.ts";
import { lowestLimit } from "../terminal/sizes.ts";
import type { TopRow } from "./top-state.ts";
import { UNKNOWN } from "./top-state.ts";
import type { UsageFigures } from "./usage-sampler.ts";

/** Returns the line of a profile that was not looked at yet: its name and its marks; all else is unknown. */
export function plannedRow({ name, current, port, span, protected: isProtected }: PlannedProfile): TopRow {
  return {
    name,
    state: UNKNOWN,
    reason: null,
    isCurrent: current,
    isProtected,
    // A run may be on another port than the planned one. As wide as it, so that nothing moves when it is known.
    ports: UNKNOWN.padEnd(portsText(port, span).length),
    health: UNKNOWN,
    restarts: null,
    startedAt: null,
    memoryBytes: null,
    memoryLimitBytes: null,
    cpuPercent: null,
    lastLine: "",
  };
}

/** Returns the line of a profile as it is. */
export function presentRow(status: ProfileStatus, usage: UsageFigures | undefined, lastLine: string): TopRow {
  return {
    name: status.name,
    state: status.state,
    reason: status.reason,
    isCurrent: status.current,
    isProtected: status.protected,
    ports: portsText(status.port, status.span),
    health: describeHealth(status),
    restarts: status.restarts,
    startedAt: status.startedAt,
    memoryBytes: usage?.memoryBytes ?? null,
    memoryLimitBytes: lowestLimit(status.memoryRestartBytes, status.memoryMaxBytes),
    cpuPercent: usage?.cpuPercent ?? null,
    lastLine,
  };
}

function portsText(port: number, span: number): string {
  return `${port}-${port + span - 1}`;
}
