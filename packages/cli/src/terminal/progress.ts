/**
 * Progress of several profiles at once: a line each, or a few, rewritten in place on a terminal, added elsewhere. It writes to
 * the stream it is given and is silent when there is none.
 */
import type { OutputStream } from "./output-stream.ts";
import { plainLine } from "./plain-text.ts";
import { wrapBehind } from "./wrap.ts";

/** The progress of one command. */
export interface Progress {
  /** Reports the progress of one profile; where lines are added, a repeated line is printed once. */
  readonly update: (name: string, text: string) => void;
  /** Ends the progress: on a terminal its lines are removed before the results. */
  readonly finish: () => void;
}

/** Progress that nobody sees. */
export const SILENT: Progress = { update: () => undefined, finish: () => undefined };

/** Pause between two frames of the spinner. */
const TURN_MS = 250;
/** Blanks in front of the further lines of a text that is too long for one. */
const MARGIN = 4;
const WHEEL = ["|", "/", "-", "\\"] as const;

/** @param now in milliseconds, of a clock that only goes forward. */
export function openProgress(stream: OutputStream, now: () => number = () => performance.now()): Progress {
  const lines = new Map<string, { readonly text: string; readonly since: number }>();
  const said = new Set<string>();
  let drawn = 0;
  let turns = 0;
  let timer: NodeJS.Timeout | undefined;

  function draw(): void {
    const width = stream.columns || 80;
    const wheel = WHEEL[turns % WHEEL.length] ?? "";
    const block = [...lines.values()].flatMap(({ text, since }) => {
      const seconds = Math.floor((now() - since) / 1_000);
      const line = seconds < 1 ? text : `${wheel} ${text} (${seconds}s)`;
      // A hint is longer than a line, and a command in it is of no use without its end.
      return wrapBehind(line, MARGIN, width - 1).split("\n");
    });
    const rows = block.map((row) => `\u001B[2K${row.slice(0, width - 1)}\n`);
    // The terminal echoes ^C into the line below, so each drawing starts at the beginning of the line.
    stream.write(`${drawn > 0 ? `\r\u001B[${drawn}A` : ""}${rows.join("")}\u001B[J`);
    drawn = rows.length;
  }

  return {
    update(name, text) {
      const line = `${name}: ${plainLine(text)}`;
      if (!stream.isTerminal) {
        if (!said.has(line)) stream.write(`${line}\n`);
        said.add(line);
        return;
      }
      const before = lines.get(name);
      if (before?.text === line) return;
      // The total time, not the time since the last change.
      lines.set(name, { text: line, since: before?.since ?? now() });
      draw();
      timer ??= setInterval(() => {
        turns += 1;
        draw();
      }, TURN_MS).unref();
    },
    finish() {
      clearInterval(timer);
      timer = undefined;
      if (drawn > 0) stream.write(`\r\u001B[${drawn}A\u001B[J`);
      lines.clear();
      drawn = 0;
    },
  };
}
