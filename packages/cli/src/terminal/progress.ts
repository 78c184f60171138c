/**
 * Progress of several profiles at once: one line each, rewritten in place on a terminal, added elsewhere. It writes to
 * the stream it is given and is silent when there is none.
 */
import type { OutputStream } from "./output-stream.ts";
import { plainLine } from "./plain-text.ts";

export interface Progress {
  /** Says what is going on with one profile; where lines are added, the same line is said once. */
  readonly update: (name: string, text: string) => void;
  /** The results follow: on a terminal the block of lines is wiped away. */
  readonly finish: () => void;
}

export const SILENT: Progress = { update: () => undefined, finish: () => undefined };

export function openProgress(stream: OutputStream): Progress {
  const lines = new Map<string, string>();
  const said = new Set<string>();
  let drawn = 0;
  return {
    update(name, text) {
      const line = `${name}: ${plainLine(text)}`;
      if (!stream.isTerminal) {
        if (!said.has(line)) stream.write(`${line}\n`);
        said.add(line);
        return;
      }
      if (lines.get(name) === line) return;
      lines.set(name, line);
      const width = stream.columns ?? 80;
      const block = [...lines.values()].map((one) => `\u001B[2K${one.slice(0, width - 1)}\n`).join("");
      stream.write(`${drawn > 0 ? `\u001B[${drawn}A` : ""}${block}`);
      drawn = lines.size;
    },
    finish() {
      if (drawn > 0) stream.write(`\u001B[${drawn}A\u001B[J`);
      lines.clear();
      drawn = 0;
    },
  };
}
