/**
 * Judges what the witnesses of a torture run recorded. Pure. An owner's interval begins after its acquire returned and
 * ends before its release began, or when it was killed, whichever is first. So the compared intervals are shorter than
 * the true ones, and two that overlap are certainly two owners.
 */

/** One line of the log. The letters are those of programs/contender.js. */
export interface WitnessEvent {
  readonly letter: string;
  readonly contender: string;
  readonly atNs: number;
  readonly text: string;
}

/** When a contender was about to be killed by somebody else. */
export type Deaths = ReadonlyMap<string, number>;

/** The verdict of the witnesses. */
export interface Verdict {
  readonly owners: number;
  /** Pairs of owners at one time, by the log. */
  readonly overlaps: number;
  /** Owners that found the port held by another living owner. */
  readonly portClashes: number;
  /** From the death of an owner to the next one, ascending. */
  readonly reclaimMs: readonly number[];
  readonly stepKills: number;
  readonly errors: ReadonlyMap<string, number>;
  /** The first overlaps, for a person to read. */
  readonly examples: readonly string[];
}

interface Interval {
  readonly contender: string;
  readonly startNs: number;
  endNs: number;
  diedNs: number | undefined;
  listeningNs: number | undefined;
}

/** Parses whole lines; a line that a death cut short is left out. */
export function parseWitnessLog(text: string): WitnessEvent[] {
  const events: WitnessEvent[] = [];
  for (const line of text.split("\n")) {
    const match = /^([A-Z]) (\S+) (\d{6,})(?: (.*))?$/.exec(line);
    if (match === null) continue;
    const [, letter = "", contender = "", atNs = "", rest = ""] = match;
    events.push({ letter, contender, atNs: Number(atNs), text: rest });
  }
  return events;
}

/** Compares all owners of a run. */
export function judgeWitnesses(events: readonly WitnessEvent[], deaths: Deaths): Verdict {
  const holds: Interval[] = [];
  const open = new Map<string, Interval>();
  const refusals: WitnessEvent[] = [];
  const errors = new Map<string, number>();
  let stepKills = 0;
  for (const event of events) {
    const hold = open.get(event.contender);
    switch (event.letter) {
      case "A": {
        const startNs = event.atNs;
        const begun: Interval = {
          contender: event.contender,
          startNs,
          endNs: Infinity,
          diedNs: undefined,
          listeningNs: undefined,
        };
        open.set(event.contender, begun);
        holds.push(begun);
        break;
      }
      case "L":
        if (hold !== undefined) hold.listeningNs = event.atNs;
        break;
      case "E":
        refusals.push(event);
        break;
      case "R":
        if (hold !== undefined) hold.endNs = event.atNs;
        open.delete(event.contender);
        break;
      case "D":
        stepKills += 1;
        if (hold !== undefined) hold.endNs = hold.diedNs = event.atNs;
        break;
      case "X": {
        const kind = event.text.replaceAll(/\d+/g, "N");
        errors.set(kind, (errors.get(kind) ?? 0) + 1);
        break;
      }
      default:
        break;
    }
  }
  for (const hold of holds) {
    const killedNs = deaths.get(hold.contender) ?? Infinity;
    if (killedNs < hold.endNs) hold.endNs = hold.diedNs = killedNs;
  }
  const owners = holds.filter((hold) => hold.endNs > hold.startNs).sort((a, b) => a.startNs - b.startNs);
  const examples: string[] = [];
  return {
    owners: owners.length,
    overlaps: countOverlaps(owners, examples),
    portClashes: countPortClashes(owners, refusals),
    reclaimMs: measureReclaims(owners),
    stepKills,
    errors,
    examples,
  };
}

function countOverlaps(owners: readonly Interval[], examples: string[]): number {
  let overlaps = 0;
  let latest: Interval | undefined;
  for (const owner of owners) {
    if (latest !== undefined && owner.startNs < latest.endNs) {
      overlaps += 1;
      if (examples.length < 5) {
        const sharedMs = (Math.min(owner.endNs, latest.endNs) - owner.startNs) / 1e6;
        examples.push(`${latest.contender} and ${owner.contender} both owned for ${sharedMs.toFixed(3)} ms`);
      }
    }
    if (latest === undefined || owner.endNs > latest.endNs) latest = owner;
  }
  return overlaps;
}

function countPortClashes(owners: readonly Interval[], refusals: readonly WitnessEvent[]): number {
  const listening = owners.filter((owner) => owner.listeningNs !== undefined);
  return refusals.filter((refusal) =>
    listening.some(
      (owner) =>
        owner.contender !== refusal.contender &&
        (owner.listeningNs ?? Infinity) < refusal.atNs &&
        refusal.atNs < owner.endNs,
    ),
  ).length;
}

function measureReclaims(owners: readonly Interval[]): number[] {
  const delays: number[] = [];
  for (const [index, owner] of owners.entries()) {
    const next = owners[index + 1];
    if (owner.diedNs === owner.endNs && next !== undefined && next.startNs > owner.endNs) {
      delays.push((next.startNs - owner.endNs) / 1e6);
    }
  }
  return delays.sort((a, b) => a - b);
}

/** The value below which the share `p` of the ascending `values` is; undefined when there are none. */
export function percentile(values: readonly number[], p: number): number | undefined {
  return values[Math.min(values.length - 1, Math.floor(values.length * p))];
}
