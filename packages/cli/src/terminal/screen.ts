/**
 * A whole screen of text, redrawn without flicker: only lines that changed are written, in one piece, and the terminal is
 * asked to show them at once. What was on the terminal before comes back when the screen is closed.
 */
import type { TerminalDevice } from "./terminal-device.ts";
import type { Key } from "./key-reader.ts";
import { openKeyReader } from "./key-reader.ts";

export interface Screen {
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Shows `lines` from the top and clears the rest. Lines must fit. */
  readonly draw: (lines: readonly string[]) => void;
  /** Gives the terminal back to the shell until the process is continued, then shows the screen again. */
  readonly suspend: () => Promise<void>;
  /** Gives the terminal back; harmless twice. */
  readonly close: () => void;
}

/** The alternate screen, without cursor and line wrap. Source: xterm control sequences (ctlseqs). */
const ENTER = "\u001B[?1049h\u001B[?25l\u001B[?7l\u001B[2J";
const LEAVE = "\u001B[?7h\u001B[?25h\u001B[?1049l";
/** Synchronised output, mode 2026: a terminal that does not know it ignores it. */
const BEGIN_UPDATE = "\u001B[?2026h";
const END_UPDATE = "\u001B[?2026l";

/** Takes the terminal. `onKey` gets every key; `onResize` is called after the size changed: draw again. */
export function openScreen(device: TerminalDevice, onKey: (key: Key) => void, onResize: () => void): Screen {
  let shown: readonly string[] = [];
  let giveBack: (() => void) | undefined;

  const enter = (): void => {
    shown = [];
    device.write(ENTER);
    const read = openKeyReader();
    giveBack = device.open({
      leave: LEAVE,
      onKeys: (data) => {
        for (const key of read(data)) onKey(key);
      },
      onResize: () => {
        // How the terminal changed the old lines is unknown, so draw all of them.
        shown = [];
        device.write("\u001B[2J");
        onResize();
      },
    });
  };
  const leave = (): void => {
    if (giveBack === undefined) return;
    giveBack();
    giveBack = undefined;
    device.write(LEAVE);
  };

  enter();
  return {
    size: () => device.size(),
    draw(lines) {
      if (giveBack === undefined) return;
      const changes: string[] = [];
      const height = Math.max(lines.length, shown.length);
      for (let row = 0; row < height; row += 1) {
        const line = lines[row] ?? "";
        if (line !== (shown[row] ?? "")) changes.push(`\u001B[${row + 1};1H\u001B[2K${line}\u001B[0m`);
      }
      shown = lines;
      if (changes.length > 0) device.write(`${BEGIN_UPDATE}${changes.join("")}${END_UPDATE}`);
    },
    async suspend() {
      leave();
      await device.suspend();
      enter();
      onResize();
    },
    close: leave,
  };
}
