/**
 * Ports that are kept for what is not ours: a database, say. They stand in the tool's settings, because they are about the host
 * and no profile's, and because an older Lockkeeper, which rewrites the registry, keeps settings that it does not know. No new
 * block touches them; who listens there is nobody's fault.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { parsePort } from "../port-number.ts";
import { readSettings } from "../settings/settings.ts";
import type { Settings } from "../settings/settings.ts";
import { formatRange } from "./port-plan.ts";
import type { PortClaim, PortRange } from "./port-plan.ts";

/** Ports that are kept. */
export interface Reservation extends PortRange {
  /** For what; empty when nobody said. */
  readonly note: string;
}

/** Returns every reservation, by port. @throws {LockkeeperError} CONFIG_DAMAGED */
export function readReservations(home: string): readonly Reservation[] {
  return reservationsIn(readSettings(home));
}

/** Returns every reservation in those settings, by port. */
export function reservationsIn({ reservedPorts }: Pick<Settings, "reservedPorts">): readonly Reservation[] {
  return reservedPorts.map(parseReservation).sort((a, b) => a.first - b.first);
}

/**
 * Returns the ports that `5432` or `6000-6010` means.
 *
 * @throws {LockkeeperError} PORT_INVALID
 */
export function parsePortRange(text: string): PortRange {
  const [, first = text, last = first] = /^([^-]+)(?:-([^-]+))?$/.exec(text) ?? [];
  const range = { first: parsePort(first), last: parsePort(last) };
  if (range.first <= range.last) return range;
  throw new LockkeeperError("PORT_INVALID", `not a range of ports: ${JSON.stringify(text)}`, {
    hint: `The lower one comes first: ${range.last}-${range.first}`,
  });
}

/** Returns what the text of the settings means. @throws {LockkeeperError} PORT_INVALID */
export function parseReservation(text: string): Reservation {
  const blank = text.indexOf(" ");
  const [range, note] = blank === -1 ? [text, ""] : [text.slice(0, blank), text.slice(blank + 1)];
  return { ...parsePortRange(range), note };
}

/** Returns the text for the settings. */
export function formatReservation({ note, ...range }: Reservation): string {
  return note === "" ? formatRange(range) : `${formatRange(range)} ${note}`;
}

/** Returns it for a person. */
export function describeReservation(reservation: Reservation): string {
  return `${formatRange(reservation)}${reservation.note === "" ? "" : ` for ${reservation.note}`}`;
}

/** Returns it as a claim: nobody else is to have these ports. */
export function reservationClaim({ first, last, note }: Reservation): PortClaim {
  return { first, last, by: "reservation", owner: note, label: "" };
}
