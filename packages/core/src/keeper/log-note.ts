/**
 * The keeper's own lines in a gateway's log: one for each start and end of the gateway, for each rotation, and for output that
 * was lost. They are text among the output, so that every viewer of the file shows them. Pure. A gateway can print such a line
 * itself, so nothing is decided by one: they only help people to read.
 */

/** One line of the keeper's. */
export interface LogNote {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: LogNoteKind;
  /** What happened, in words. */
  readonly text: string;
}

/** `start` and `end` of a gateway process, `rotated` at the top of each new file, `lost` where output is missing. */
export type LogNoteKind = "start" | "end" | "rotated" | "lost";

const NOTE = /^--- lockkeeper (\d{4}-\d\d-\d\dT[\d:.]+Z) (start|end|rotated|lost): (.*) ---$/;

/** Returns the note as one line, line feed included. */
export function formatLogNote({ at, kind, text }: LogNote): string {
  return `--- lockkeeper ${at} ${kind}: ${text.replaceAll(/\s+/g, " ")} ---\n`;
}

/** Returns the note in `line` (without its line feed), or undefined for a line of the gateway. */
export function parseLogNote(line: string): LogNote | undefined {
  const [, at, kind, text] = NOTE.exec(line) ?? [];
  if (at === undefined || text === undefined) return undefined;
  return { at, kind: kind as LogNoteKind, text };
}
