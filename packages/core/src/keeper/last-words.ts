/** What remains of a gateway that has ended: what it printed last, without secrets, short enough for a line of the history. */
import { readLastAttempt } from "./attempt-output.ts";
import { formsOf, withoutSecrets } from "./redaction.ts";

/** The output of one gateway process that has ended. */
export interface LastWords {
  /** Without colours and secrets; the middle of a long output is left out. */
  readonly lines: readonly string[];
  /** How many it printed, as far as they were looked at. */
  readonly printed: number;
}

const DEFAULTS = {
  /** A keeper looks back no further, so that a flood of output does not hold a restart up. */
  looked: 500,
  shown: 12,
  /** With {@link DEFAULTS.shown} and every escape that JSON needs it fits into a line of 8 KiB. */
  maxLineLength: 160,
};

/** Returns them; undefined when the log cannot be read, which keeps nobody from starting the gateway again. */
export async function readLastWords(logPath: string, secrets: readonly string[]): Promise<LastWords | undefined> {
  try {
    const { lines, printed } = await readLastAttempt(logPath, {
      shown: DEFAULTS.shown,
      looked: DEFAULTS.looked,
      ended: true,
    });
    const forms = formsOf(secrets);
    // Cut afterwards: half of a secret would not be known for one.
    return { lines: lines.map((line) => cut(withoutSecrets(line, forms))), printed };
  } catch {
    return undefined;
  }
}

function cut(line: string): string {
  return line.length <= DEFAULTS.maxLineLength ? line : `${line.slice(0, DEFAULTS.maxLineLength - 3)}...`;
}
