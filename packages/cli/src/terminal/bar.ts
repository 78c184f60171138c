/** A progress bar as one line. Pure. */

const CELLS = 30;
/** Outside of a terminal every line stays, so ten of them are enough. */
const STEP_PERCENT = 10;

/**
 * Returns the bar for a terminal, `[######......] 45%`, otherwise only the percentage in steps of ten, so that repeated calls
 * give few different texts.
 *
 * @param done from 0 to 1
 */
export function renderBar(done: number, isTerminal: boolean): string {
  const percent = Math.floor(Math.min(1, Math.max(0, done)) * 100);
  if (!isTerminal) return `${percent - (percent % STEP_PERCENT)}%`;
  const full = Math.floor((percent * CELLS) / 100);
  return `[${"#".repeat(full)}${".".repeat(CELLS - full)}] ${String(percent).padStart(3)}%`;
}
