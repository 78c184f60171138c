/** Help in a terminal that is narrower than the text that the build has made: the program breaks it between words. */
import { expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { NO_TMUX, openTerminal } from "../harness/tmux.ts";

if (NO_TMUX !== undefined) process.stdout.write(`skipped: help in narrow terminals: ${NO_TMUX}\n`);

test.runIf(NO_TMUX === undefined).each([
  [
    "--help",
    "\nA gateway is any server program. A profile is one gateway\nwith a folder, ports, environment and logs of its own. Its\n",
  ],
  ["start --help", "\nStart profiles and wait until healthy; running ones are left\nalone\n"],
])("`%s` in 60 columns breaks no word", (args, expected) =>
  withScratchHome(async ({ home }) => {
    const terminal = openTerminal(`narrow${args.length}`, 60, 90, bareEnvironment(home));
    try {
      terminal.press(`clear; ${process.execPath} ${CLI_ENTRY} ${args}; echo "exit $?"`, "Enter");
      await terminal.shows(/^exit 0$/m);
      const lines = terminal.screen().split("\n");
      expect(`\n${lines.map((line) => line.trimEnd()).join("\n")}`).toContain(expected);
    } finally {
      terminal.close();
    }
  }),
);
