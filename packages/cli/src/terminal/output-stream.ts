/** Where text goes: a terminal of some width, or a file or pipe. */
export interface OutputStream {
  readonly isTerminal: boolean;
  /** 0 on a terminal that was given no size, of `expect` or of a serial line: it counts as unknown. */
  readonly columns: number | undefined;
  readonly write: (text: string) => void;
}
