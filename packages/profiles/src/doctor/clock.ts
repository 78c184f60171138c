/** Checks for a wall clock that went back: no decision depends on it, but histories and ages would mislead. */
import type { Finding, Scene } from "./finding.ts";

/** Clocks usually disagree by less than this. */
const TOLERANCE_MS = 5 * 60_000;

/** Finds recorded times that are ahead of the clock. */
export function checkClock({ patients }: Scene): readonly Finding[] {
  const now = Date.now();
  const ahead = patients.flatMap(({ manifest, record }) => {
    const times = [manifest.createdAt, record?.since, record?.startedAt];
    return times.flatMap((time) =>
      typeof time === "string" && Date.parse(time) > now + TOLERANCE_MS ? [`${manifest.name}: ${time}`] : [],
    );
  });
  if (ahead.length === 0) return [];
  return [
    {
      weight: "warning",
      code: "clock-went-back",
      title: "the clock was set back: some records have later times",
      evidence: [`now: ${new Date(now).toISOString()}`, ...ahead.slice(0, 5)],
      command: process.platform === "linux" ? "timedatectl status" : null,
    },
  ];
}
