/** A real terminal for tests: its own tmux server, without the user's settings. */
import { execFileSync, spawnSync } from "node:child_process";
import { until } from "./until.ts";

/** Why there is no terminal to control; undefined when there is one. */
export const NO_TMUX: string | undefined = spawnSync("tmux", ["-V"]).status === 0 ? undefined : "tmux is not installed";

export interface TestTerminal {
  /** The text on the screen, one line for each row. */
  readonly screen: () => string;
  /** Sends keys by tmux's own names: `q`, `Down`, `Enter`, `C-c`. */
  readonly press: (...keys: readonly string[]) => void;
  /** From now on writes all that programs send to it into `file`. */
  readonly record: (file: string) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** Returns once the screen matches. */
  readonly shows: (what: RegExp) => Promise<void>;
  readonly close: () => void;
}

/** Opens a terminal of that size with a plain shell in it. */
export function openTerminal(
  name: string,
  columns: number,
  rows: number,
  env: Readonly<Record<string, string>>,
): TestTerminal {
  const socket = `lockkeeper-${process.pid}-${name}`;
  const tmux = (...args: readonly string[]): string =>
    execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], {
      encoding: "utf8",
      env: { ...env, TERM: "xterm" },
    });
  tmux("new-session", "-d", "-x", String(columns), "-y", String(rows), "-s", "test", "sh");
  const screen = (): string => tmux("capture-pane", "-p", "-t", "test");
  return {
    screen,
    press: (...keys) => void tmux("send-keys", "-t", "test", ...keys),
    record: (file) => void tmux("pipe-pane", "-t", "test", `cat > '${file}'`),
    resize: (width, height) => void tmux("resize-window", "-t", "test", "-x", String(width), "-y", String(height)),
    shows: async (what) => {
      try {
        await until(`the terminal shows ${what}`, () => what.test(screen()));
      } catch (error) {
        throw new Error(`${String(error)}; it shows:\n${screen()}`, { cause: error });
      }
    },
    close: () => void spawnSync("tmux", ["-L", socket, "kill-server"]),
  };
}
