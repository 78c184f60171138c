/**
 * The keeper's own lines in a gateway's log: one for each start and end of the gateway, for each rotation, and for
 * output that was lost. Text among the output, so that whatever shows the file shows them too. Pure. A gateway can
 * print such a line itself: nothing is decided by one, it only helps people to read.
 */

/** One line of the keeper's. */
export interface LogNote {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: LogNoteKind;
  /** What happened, for a person. */
  readonly text: string;
}

/** `start` and `end` of a gateway process, `rotated` at the top of each new file, `lost` where output is missing. */
export type LogNoteKind = "start" | "end" | "rotated" | "lost";

const NOTE = /^--- lockkeeper (\d{4}-\d\d-\d\dT[\d:.]+Z) (start|end|rotated|lost): (.*) ---$/;

/** Returns the note as one line, line feed included. */
export function formatLogNote({ at, kind, text }: LogNote): string {
  return `--- lockkeeper ${at} ${kind}: ${text.replaceAll(/\s+/g, " ")} ---\n`;
}

/** Returns the note that `line` (without its line feed) is, or undefined for a line of the gateway's. */
export function parseLogNote(line: string): LogNote | undefined {
  const [, at, kind, text] = NOTE.exec(line) ?? [];
  if (at === undefined || text === undefined) return undefined;
  return { at, kind: kind as LogNoteKind, text };
}
