/**
 * A whole screen of text, redrawn without flicker: only lines that changed are written, in one piece, and the terminal is
 * asked to show them at once. What was on the terminal before comes back when the screen is closed.
 */
import type { TakenScreen } from "./taken-screen.ts";
import type { TerminalDevice } from "./terminal-device.ts";
import type { Key } from "./key-reader.ts";
import { openKeyReader } from "./key-reader.ts";

/** The terminal while a whole screen is shown. */
export interface Screen {
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Shows `lines` from the top, one for each row of the screen. Lines must fit. */
  readonly draw: (lines: readonly string[]) => void;
  /** Gives the terminal back to the shell until the process is continued, then shows the screen again. */
  readonly suspend: () => Promise<void>;
  /** Gives the terminal back; harmless twice. */
  readonly close: () => void;
}

/** The alternate screen, without cursor and line wrap. Source: xterm control sequences (ctlseqs). */
export const ENTER = "\u001B[?1049h\u001B[?25l\u001B[?7l\u001B[2J";
/** @see ENTER */
export const LEAVE = "\u001B[?7h\u001B[?25h\u001B[?1049l";
/** Synchronised output, mode 2026: a terminal that does not know it ignores it. */
const BEGIN_UPDATE = "\u001B[?2026h";
const END_UPDATE = "\u001B[?2026l";

/** Returns what turns a screen that shows `shown` into one with `lines`, "" for nothing; undefined: what it shows is unknown. */
export function changedLines(lines: readonly string[], shown: readonly string[] | undefined): string {
  const changes: string[] = [];
  const height = Math.max(lines.length, shown?.length ?? 0);
  for (let row = 0; row < height; row += 1) {
    const line = lines[row] ?? "";
    if (shown !== undefined && line === (shown[row] ?? "")) continue;
    // What may be below the last line of an unknown screen goes too.
    const erase = shown === undefined && row === height - 1 ? "\u001B[J" : "\u001B[2K";
    changes.push(`\u001B[${row + 1};1H${erase}${line}\u001B[0m`);
  }
  return changes.length === 0 ? "" : `${BEGIN_UPDATE}${changes.join("")}${END_UPDATE}`;
}

/**
 * Takes the terminal, unless the first picture has `taken` it already. `onKey` gets every key; `onResize` is called after the
 * size changed: draw again.
 */
export function openScreen(
  device: TerminalDevice,
  onKey: (key: Key) => void,
  onResize: () => void,
  taken?: Pick<TakenScreen, "handOver">,
): Screen {
  let shown: readonly string[] | undefined = taken === undefined ? [] : undefined;
  let giveBack: (() => void) | undefined;

  const enter = (): void => {
    const read = openKeyReader();
    giveBack = device.open({
      leave: LEAVE,
      onKeys: (data) => {
        for (const key of read(data)) onKey(key);
      },
      onResize: () => {
        // How the terminal changed the old lines is unknown, so draw all of them.
        shown = undefined;
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

  if (taken === undefined) device.write(ENTER);
  enter();
  // Only now: from here on our own handlers give the terminal back.
  taken?.handOver();
  return {
    size: () => device.size(),
    draw(lines) {
      if (giveBack === undefined) return;
      const text = changedLines(lines, shown);
      shown = lines;
      if (text !== "") device.write(text);
    },
    async suspend() {
      leave();
      await device.suspend();
      shown = [];
      device.write(ENTER);
      enter();
      onResize();
    },
    close: leave,
  };
}
