/**
 * How results look on one stream: with colours or without, and how wide. A value, decided once from the environment, so that
 * rendering is a pure function of a result and a view.
 */

/** Colours text, or returns it unchanged without colours. */
export interface Palette {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

export interface View {
  readonly paint: Palette;
  /** False: `paint` returns everything unchanged. */
  readonly isColoured: boolean;
  /** Infinity when the stream is not a terminal. */
  readonly columns: number;
  readonly quiet: boolean;
}

export interface StreamFacts {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
}

const as = (text: string): string => text;
const PLAIN: Palette = { bold: as, dim: as, red: as, green: as, yellow: as, cyan: as };

const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    text === "" ? "" : `\u001B[${on}m${text}\u001B[${off}m`;

/** Made where it is wanted. */
const coloured = (): Palette => ({
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
});

/** Returns the view of a stream. Pure. */
export function viewOf(stream: StreamFacts, env: NodeJS.ProcessEnv, quiet: boolean): View {
  const isColoured = wantsColour(stream, env);
  return {
    paint: isColoured ? coloured() : PLAIN,
    isColoured,
    columns: stream.isTerminal ? Math.max(20, stream.columns || 80) : Infinity,
    quiet,
  };
}

/** Source: https://no-color.org and the FORCE_COLOR convention of Node's own tty module; NO_COLOR wins. */
function wantsColour({ isTerminal }: StreamFacts, env: NodeJS.ProcessEnv): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return isTerminal && env["TERM"] !== "dumb" && (env["CI"] ?? "") === "";
}
