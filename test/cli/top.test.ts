/** The live views in a real terminal: drawn, driven by keys, resized; afterwards the terminal is as before. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";
import { livingProcesses, withScratchHome } from "../harness/scratch-home.ts";
import type { TestTerminal } from "../harness/tmux.ts";
import { NO_TMUX, openTerminal } from "../harness/tmux.ts";
import { until } from "../harness/until.ts";

if (NO_TMUX !== undefined) process.stdout.write(`skipped: live views in a terminal: ${NO_TMUX}\n`);

/** Opens a terminal for `use`; it is closed before the home is checked for leftovers. */
async function inTerminal(
  { home }: ScratchHome,
  name: string,
  [columns, rows]: readonly [number, number],
  use: (terminal: TestTerminal) => Promise<void>,
): Promise<void> {
  const { NO_COLOR: _, ...env } = bareEnvironment(home);
  const terminal = openTerminal(name, columns, rows, env);
  try {
    await use(terminal);
  } finally {
    terminal.close();
  }
}

/** The pid of the live view: the process with this home whose command is `top`. */
async function liveView(home: string): Promise<number> {
  for (const pid of await livingProcesses(home)) {
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").endsWith("\0top\0")) return pid;
  }
  throw new Error("the live view does not run");
}

function call(terminal: TestTerminal, command: string): void {
  terminal.press(`clear; ${process.execPath} ${CLI_ENTRY} ${command}; echo "exit $?"`, "Enter");
}

const withTmux = test.skipIf(NO_TMUX !== undefined);

withTmux("top shows, acts, asks before it changes a protected profile, and leaves no trace", async () => {
  await withScratchHome(async (scratch) => {
    await scratch.mustRun(["create", "dev"]);
    await scratch.mustRun(["create", "prod", "--protected"]);
    await inTerminal(scratch, "top", [100, 20], async (terminal) => {
      call(terminal, "top");
      await terminal.shows(/dev\s+○ stopped/);
      terminal.press("s");
      await terminal.shows(/dev\s+● running/);
      terminal.press("l");
      await terminal.shows(/log of dev[^]*listening on/);
      terminal.press("l", "Down", "s");
      await terminal.shows(/prod!\s+● running/);
      terminal.press("x");
      await terminal.shows(/prod is PROTECTED\. Type its name to stop it/);
      terminal.press("d", "e", "v", "Enter");
      await terminal.shows(/prod was left alone/);
      expect(terminal.screen()).toMatch(/prod!\s+● running/);
      terminal.press("x", "p", "r", "o", "d", "Enter");
      await terminal.shows(/prod!\s+○ stopped/);
      terminal.resize(40, 8);
      await terminal.shows(/^NAME +STATE +PORTS +HEALTH *$/m);
      terminal.press("?");
      await terminal.shows(/select a profile/);
      terminal.press("q", "q");
      await terminal.shows(/exit 0\s+[#$]/);
      expect(terminal.screen()).not.toContain("running");
    });
  });
});

withTmux(
  "the first picture of top has names and marks, and claims nothing about a state that was not looked up",
  async () => {
    await withScratchHome(async (scratch) => {
      await scratch.mustRun(["create", "dev"]);
      await scratch.mustRun(["create", "prod", "--protected"]);
      await scratch.mustRun(["use", "dev"]);
      await inTerminal(scratch, "first", [100, 20], async (terminal) => {
        const file = path.join(scratch.home, "..", "first-picture.txt");
        terminal.record(file);
        call(terminal, "top");
        await terminal.shows(/dev\*\s+○ stopped/);
        terminal.press("q");
        await terminal.shows(/exit 0/);
        await until("the record is complete", () => readFileSync(file, "utf8").includes("exit 0"));
        const sent = readFileSync(file, "utf8");
        expect(sent.split("\u001B[?1049h")).toHaveLength(2);
        expect(sent.split("\u001B[?1049l")).toHaveLength(2);
        const [first = ""] = sent.slice(sent.indexOf("\u001B[?1049h")).split("\u001B[?2026l");
        const text = stripVTControlCharacters(first);
        expect(text).toMatch(/2 profiles[^]*NAME[^]*dev\* +- [^]*prod! +- [^]*q quit/);
        expect(text).not.toMatch(/stopped|running|\d{4,}-\d/);
      });
    });
  },
);

withTmux.each(["C-c", "SIGTERM"])("top restores the terminal after %s", async (how) => {
  await withScratchHome(async (scratch) => {
    await scratch.mustRun(["create", "dev"]);
    await inTerminal(scratch, `end-${how}`, [80, 12], async (terminal) => {
      call(terminal, "top");
      await terminal.shows(/dev\s+○ stopped/);
      if (how === "SIGTERM") process.kill(await liveView(scratch.home), "SIGTERM");
      else terminal.press(how);
      await terminal.shows(/exit \d+\s+[#$]/);
      terminal.press("echo visible", "Enter");
      await terminal.shows(/^visible$/m);
    });
  });
});

withTmux.each(["top", "list --watch"])("%s ends without a word when its terminal is closed", async (command) => {
  await withScratchHome(async (scratch) => {
    await scratch.mustRun(["create", "dev"]);
    const said = path.join(scratch.folder, "stderr.txt");
    await inTerminal(scratch, `gone-${command.split(" ", 1)[0]}`, [80, 12], async (terminal) => {
      terminal.press(`exec ${process.execPath} ${CLI_ENTRY} ${command} 2> ${said}`, "Enter");
      await terminal.shows(/dev\s+(○ )?stopped/);
    });
    await until("it has ended", async () => (await livingProcesses(scratch.home)).length === 0);
    expect(readFileSync(said, "utf8")).toBe("");
  });
});

withTmux("list --watch has a screen of its own and ends with q", async () => {
  await withScratchHome(async (scratch) => {
    await scratch.mustRun(["create", "dev"]);
    await inTerminal(scratch, "watch", [90, 10], async (terminal) => {
      call(terminal, "list --watch");
      await terminal.shows(/q quits[^]*dev\s+stopped/);
      await scratch.mustRun(["start", "dev"]);
      await terminal.shows(/dev\s+running/);
      terminal.press("q");
      await terminal.shows(/exit 0\s+[#$]/);
    });
  });
});

test("without a terminal top prints the list once and says so", async () => {
  await withScratchHome(async (scratch) => {
    await scratch.mustRun(["create", "dev"]);
    const { status, stdout, stderr } = await scratch.run(["top"]);
    expect({ status, stdout, stderr }).toMatchObject({ status: 0, stdout: expect.stringContaining("dev") as string });
    expect(stderr).toContain("top needs a terminal");
    expect(await scratch.json(["top"])).toMatchObject([{ name: "dev", restarts: 0, lastExit: null }]);
  });
});
