/** Keeps ports for what is not ours, and gives them back: one change at a time, and none beside a `create`. */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand } from "@lockkeeper/core/internal";
import { readRegistry } from "../registry/registry.ts";
import { changeSettings } from "../settings/settings.ts";
import { refuseOverlap } from "./port-overlap.ts";
import { profileClaims } from "./port-claims.ts";
import { formatRange, overlaps } from "./port-plan.ts";
import type { PortRange } from "./port-plan.ts";
import { describeReservation, formatReservation, parseReservation } from "./reservations.ts";
import type { Reservation } from "./reservations.ts";

/** What a change came to: all reservations, by port. */
export interface ReservationChange {
  /** The one that was made or taken back; null when it was so already. */
  readonly changed: Reservation | null;
  readonly reservations: readonly Reservation[];
}

/** What a note may be: one line without control characters, as the settings take it. */
const NOTE_TEXT = /^[^\p{Cc}]{0,80}$/u;

/**
 * Keeps the ports. The same range again gets the new note.
 *
 * @throws {LockkeeperError} PORTS_OVERLAP when a profile has one of them, or another reservation; OPTION_INVALID for the note.
 */
export async function reservePorts(home: string, range: PortRange, note: string): Promise<ReservationChange> {
  if (!NOTE_TEXT.test(note)) {
    throw new LockkeeperError("OPTION_INVALID", "not a valid note: it is one line of at most 80 characters", {
      hint: shellCommand("lockkeeper", "ports", "reserve", formatRange(range), "--note", "postgres"),
    });
  }
  return change(home, (before) => {
    const registry = readRegistry(home);
    const hint = "Ports of a profile are kept for it anyway; see who has what: lockkeeper ports";
    refuseOverlap(registry, [range], [...registry.values()].flatMap(profileClaims), hint);
    const other = before.find((each) => overlaps(each, range) && !isSame(each, range));
    if (other !== undefined) {
      throw new LockkeeperError(
        "PORTS_OVERLAP",
        `${formatRange(range)} overlaps what is kept: ${describeReservation(other)}`,
        {
          hint: shellCommand("lockkeeper", "ports", "release", formatRange(other)),
        },
      );
    }
    const made = { ...range, note };
    const others = before.filter((each) => !isSame(each, range));
    const present = before.find((each) => isSame(each, range));
    return { changed: present?.note === note ? null : made, reservations: [...others, made] };
  });
}

/**
 * Gives the ports back. What is not kept is no fault.
 *
 * @throws {LockkeeperError} PORTS_OVERLAP when the range is only a part of one that is kept, or more.
 */
export async function releasePorts(home: string, range: PortRange): Promise<ReservationChange> {
  return change(home, (before) => {
    const found = before.find((each) => isSame(each, range));
    const other = before.find((each) => overlaps(each, range));
    if (found === undefined && other !== undefined) {
      throw new LockkeeperError(
        "PORTS_OVERLAP",
        `${formatRange(range)} is not what is kept: ${describeReservation(other)}`,
        {
          hint: shellCommand("lockkeeper", "ports", "release", formatRange(other)),
        },
      );
    }
    return { changed: found ?? null, reservations: before.filter((each) => each !== found) };
  });
}

async function change(
  home: string,
  decide: (before: readonly Reservation[]) => ReservationChange,
): Promise<ReservationChange> {
  let result: ReservationChange = { changed: null, reservations: [] };
  await changeSettings(home, ({ reservedPorts }) => {
    result = decide(reservedPorts.map(parseReservation));
    return result.changed === null ? {} : { reservedPorts: result.reservations.map(formatReservation) };
  });
  return { ...result, reservations: result.reservations.toSorted((a, b) => a.first - b.first) };
}

function isSame(a: PortRange, b: PortRange): boolean {
  return a.first === b.first && a.last === b.last;
}
