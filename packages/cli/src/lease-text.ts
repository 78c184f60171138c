/** The owner of a profile across hosts, as text: for a cell, a row, and the answer of a start. Pure. */
import type { LeaseStatus, ProfileStatus } from "@lockkeeper/profiles";
import { formatDuration } from "./terminal/durations.ts";
import { plainLine } from "./terminal/plain-text.ts";

/** Returns `host-a, 27s`: the owner, and how long the lease lasts without renewal. */
export function describeOwner(lease: LeaseStatus | null): string {
  if (lease === null) return "-";
  if (lease.unknown !== null) return "unknown";
  if (lease.owner === null) return "nobody";
  return `${plainLine(lease.owner)}${lease.timeLeftMs === null ? "" : `, ${formatDuration(lease.timeLeftMs)}`}`;
}

/** Returns the owner that it waits for, and the longest wait if that owner is gone. */
export function describeWait({ reason, lease }: ProfileStatus): string {
  const left = lease?.timeLeftMs ?? null;
  const end = left === null ? "" : ` (lease runs out in ${Math.ceil(left / 1_000)} s)`;
  return `${plainLine(reason ?? "another host owns it")}${end}`;
}

/** Returns the owner across hosts, and how long the lease lasts if the owner is gone. */
export function describeLease({ key, owner, since, token, timeLeftMs, unknown }: LeaseStatus): string {
  if (unknown !== null) return `${plainLine(key)}: the owner is not known: ${plainLine(unknown)}`;
  if (owner === null) return `${plainLine(key)}: nobody owns it`;
  const facts = [`${plainLine(key)}: ${plainLine(owner)} owns it${since === null ? "" : ` since ${plainLine(since)}`}`];
  if (token !== null) facts.push(`token ${plainLine(token)}`);
  if (timeLeftMs !== null) facts.push(`runs out in ${formatDuration(timeLeftMs)} unless it is renewed`);
  return facts.join(", ");
}
