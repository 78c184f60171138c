/** The file of a unit: its content, and whether we may write it. */
import { LockkeeperError } from "@lockkeeper/core";
import { readIfPresentSync, replaceFile, shellCommand } from "@lockkeeper/core/internal";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { unitOrigin } from "../service-units/systemd-unit.ts";
import type { ProfileUnit } from "./unit-of.ts";

/** What is at a unit's path. */
export type UnitPresence =
  | { readonly is: "absent" }
  | { readonly is: "same" | "older" | "edited" | "foreign"; readonly text: string }
  /** Something that cannot be read as a file; `error` gives the reason. */
  | { readonly is: "unreadable"; readonly error: LockkeeperError };

/** Returns what is at the unit's path, compared with what should be there. */
export function inspectUnitFile({ path: file, text, service }: ProfileUnit): UnitPresence {
  let present: string | undefined;
  try {
    present = readIfPresentSync(file, "any");
  } catch (error) {
    if (error instanceof LockkeeperError) return { is: "unreadable", error };
    throw error;
  }
  if (present === undefined) return { is: "absent" };
  if (present === text) return { is: "same", text: present };
  if (service.manager === "launchd") {
    // A property list has no room for a checksum: its label shows that it is ours.
    return { is: present.includes(`<string>${service.unit}</string>`) ? "edited" : "foreign", text: present };
  }
  const origin = unitOrigin(present);
  return { is: origin === "ours" ? "older" : origin, text: present };
}

/**
 * On return the unit's file is up to date.
 *
 * @param mayOverwrite the user agreed to lose edits.
 * @throws {LockkeeperError} UNIT_CONFLICT for a file that is not ours or cannot be read; CONFIRMATION_NEEDED for an edited
 * file; and file errors.
 */
export async function writeUnitFile(unit: ProfileUnit, mayOverwrite: boolean): Promise<void> {
  const present = inspectUnitFile(unit);
  if (present.is === "unreadable") throw unreadableUnit(unit.path, present.error);
  if (present.is === "foreign") {
    throw new LockkeeperError("UNIT_CONFLICT", `${unit.path} is not a unit of Lockkeeper`, {
      evidence: present.text.split("\n").slice(0, 5),
      hint: `Look at it: ${shellCommand("cat", unit.path)}`,
    });
  }
  if (present.is === "edited" && !mayOverwrite) {
    throw new LockkeeperError("CONFIRMATION_NEEDED", `${unit.path} was edited since it was installed`, {
      evidence: lineDifference(present.text, unit.text),
      hint: "Put own lines into a drop-in (systemctl edit), or overwrite it with --yes.",
    });
  }
  if (present.is === "same") return;
  mkdirSync(path.dirname(unit.path), { recursive: true });
  // It is in its place by then: stopping here would leave a unit that the manager does not know.
  await replaceFile(unit.path, unit.text, { unconfirmed: "warn" });
}

/** Returns the error for an unreadable file at a unit's path: it may belong to anyone, so it is left alone. */
export function unreadableUnit(file: string, error: LockkeeperError): LockkeeperError {
  return new LockkeeperError("UNIT_CONFLICT", `what is at ${file} cannot be read, and was left alone`, {
    evidence: [error.message],
    hint: `Look at it: ${shellCommand("ls", "-ld", file)}`,
    cause: error,
  });
}

/** Removes the unit's file, if it is there. */
export function removeUnitFile(file: string): void {
  rmSync(file, { force: true });
}

/** Returns `- line` for each line that only `before` has, and `+ line` for each that only `after` has, in order. Pure. */
export function lineDifference(before: string, after: string): readonly string[] {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  const lost = old.filter((line) => !fresh.includes(line)).map((line) => `- ${line}`);
  const gained = fresh.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  return [...lost, ...gained];
}
