/** Writes points in time for people: in their own time zone, and how long ago. Pure. */
import { formatDuration } from "./durations.ts";

/** Returns `14:03:07` for a moment of today, else `2026-01-31 14:03:07`; other text unchanged. */
export function formatMoment(iso: string, now: number): string {
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return iso;
  const time = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(":");
  return dateOf(moment) === dateOf(new Date(now)) ? time : `${dateOf(moment)} ${time}`;
}

/** Returns `12s ago`; "" for text that is not a time. */
export function formatAgo(iso: string, now: number): string {
  const moment = Date.parse(iso);
  return Number.isNaN(moment) ? "" : `${formatDuration(now - moment)} ago`;
}

function dateOf(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
