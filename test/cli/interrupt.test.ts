/**
 * Ctrl-C in a real terminal: the echoed `^C` and the spinner leave a clean line behind, and the shell learns of the
 * interrupt.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { NO_TMUX, openTerminal } from "../harness/tmux.ts";

if (NO_TMUX !== undefined) process.stdout.write(`skipped: Ctrl-C at a terminal: ${NO_TMUX}\n`);

/** Opens its port only on a signal, which never comes. */
const NEVER_READY = "setInterval(Object, 1000)";

test.skipIf(NO_TMUX !== undefined)(
  "a start says what it waits for and how long; Ctrl-C leaves a clean line",
  async () => {
    await withScratchHome(async ({ home, run, json }) => {
      expect((await run(["create", "slow", "--", process.execPath, "-e", NEVER_READY])).status).toBe(0);
      const [{ port }] = (await json(["list"])) as [{ port: number }];
      const { NO_COLOR: _, ...env } = bareEnvironment(home);
      const terminal = openTerminal("interrupt", 60, 10, env);
      try {
        terminal.press(`clear; ${process.execPath} ${CLI_ENTRY} start slow; echo "exit $?"`, "Enter");
        await terminal.shows(
          new RegExp(`^[|/\\\\-] slow: starting, waiting for 127\\.0\\.0\\.1:${port} \\(\\d+s\\) *$`, "m"),
        );
        terminal.press("C-c");
        await terminal.shows(/exit 1$/m);
        const lines = terminal.screen().trimEnd().split("\n");
        expect(lines.slice(0, 3)).toEqual([
          "error: interrupted by SIGINT",
          "hint: What was begun may still finish in the background; loo",
          "k with: lockkeeper list",
        ]);
        expect(terminal.screen()).not.toMatch(/slow: starting|\^C/);
      } finally {
        terminal.close();
      }
      expect(await json(["list"])).toMatchObject([{ name: "slow", state: "starting" }]);
    });
  },
);

test("Ctrl-C ends a wait as an interruption, not as the end of its time", async () => {
  await withScratchHome(async ({ home, mustRun }) => {
    await mustRun(["create", "dev"]);
    const waits = spawn(process.execPath, ["--", CLI_ENTRY, "wait", "dev", "--timeout", "10m"], {
      env: bareEnvironment(home),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    waits.stderr.setEncoding("utf8").on("data", (text: string) => {
      // It has begun to wait, and takes signals since before that.
      if (said === "") waits.kill("SIGINT");
      said += text;
    });
    const [status] = (await once(waits, "close")) as [number | null];
    expect({ status, said }).toEqual({ status: 1, said: expect.stringContaining("interrupted by SIGINT") as string });
  });
});
