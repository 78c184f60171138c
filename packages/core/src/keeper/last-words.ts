/** The last output of a gateway that has ended, without secrets, short enough for a line of the history. */
import { readLastAttempt } from "./attempt-output.ts";
import { formsOf, withoutSecrets } from "./redaction.ts";

/** The output of one gateway process that has ended. */
export interface LastWords {
  /** Without colours and secrets; the middle of a long output is left out. */
  readonly lines: readonly string[];
  /** How many lines it printed, as far as they were read. */
  readonly printed: number;
}

const DEFAULTS = {
  /** A keeper reads no further back, so that a flood of output does not delay a restart. */
  looked: 500,
  shown: 12,
  /** With {@link DEFAULTS.shown} and every escape that JSON needs it fits into a line of 8 KiB. */
  maxLineLength: 160,
};

/** Returns the last output; undefined when the log cannot be read, which must not prevent a restart. */
export async function readLastWords(logPath: string, secrets: readonly string[]): Promise<LastWords | undefined> {
  try {
    const { lines, printed } = await readLastAttempt(logPath, {
      shown: DEFAULTS.shown,
      looked: DEFAULTS.looked,
      ended: true,
    });
    const forms = formsOf(secrets);
    // Cut afterwards, because half of a secret would not be recognised.
    return { lines: lines.map((line) => cut(withoutSecrets(line, forms))), printed };
  } catch {
    return undefined;
  }
}

function cut(line: string): string {
  return line.length <= DEFAULTS.maxLineLength ? line : `${line.slice(0, DEFAULTS.maxLineLength - 3)}...`;
}
