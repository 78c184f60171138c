/** A terminal that shows a whole screen and reports keys. `main.ts` makes the only real one. */
export interface TerminalDevice {
  /** In characters; 80 by 24 when the terminal does not say. */
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly write: (text: string) => void;
  /**
   * Takes the keyboard: no echo, every key at once, as the terminal sends it. `onResize` follows the size. Returns a function
   * that gives the keyboard back. `leave` is written when the process ends in any other way before that.
   */
  readonly open: (handlers: {
    readonly onKeys: (data: string) => void;
    readonly onResize: () => void;
    readonly leave: string;
  }) => () => void;
  /** Stops the process as Ctrl-Z does in a shell, and returns when it is continued. */
  readonly suspend: () => Promise<void>;
}
