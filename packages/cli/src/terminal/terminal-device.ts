/** A terminal that shows a whole screen and tells which keys are pressed. `main.ts` makes the only real one. */
export interface TerminalDevice {
  /** In characters; a terminal that does not tell is 80 by 24. */
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly write: (text: string) => void;
  /**
   * Takes the keyboard: no echo, every key at once, as the terminal sends it. `onResize` follows the size. Returns what
   * gives the keyboard back. `leave` is written when the process ends in any other way while the keyboard is taken.
   */
  readonly open: (handlers: {
    readonly onKeys: (data: string) => void;
    readonly onResize: () => void;
    readonly leave: string;
  }) => () => void;
  /** Stops the process as Ctrl-Z does in a shell, and returns when it is continued. */
  readonly suspend: () => Promise<void>;
}
