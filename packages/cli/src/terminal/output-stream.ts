/** Where text goes: a terminal of some width, or a file or pipe. */
export interface OutputStream {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  readonly write: (text: string) => void;
}
