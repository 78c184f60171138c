/**
 * The first picture of `top`: a program of its own, which the loader runs before it reads the program itself. It draws the names
 * when that can be done without a doubt, and otherwise nothing. Like `main.ts` it touches Node's `process`.
 */
import { writeSync } from "node:fs";
import { readPlanned } from "@lockkeeper/profiles";
import { mayBeTerminal } from "./terminal/device-kind.ts";
import { ENTER, LEAVE, changedLines } from "./terminal/screen.ts";
import { leaveTaken } from "./terminal/taken-screen.ts";
import { viewOf } from "./terminal/view.ts";
import { plannedRow } from "./top/top-rows.ts";
import { INITIAL_STATE, withRows } from "./top/top-state.ts";
import { renderTop } from "./top/top-view.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function show(): void {
  const { argv, env } = process;
  // With any option the program itself has to say what it means.
  if (argv.length !== 3 || env["TERM"] === "dumb" || !mayBeTerminal(0) || !mayBeTerminal(1)) return;
  const planned = readPlanned(env);
  const { stdout } = process;
  if (planned === undefined || !stdout.isTTY) return;
  const { columns = 80, rows = 24 } = stdout;
  const { paint } = viewOf({ isTerminal: true, columns }, env, false);
  const state = withRows(INITIAL_STATE, planned.profiles.map(plannedRow));
  const lines = renderTop({ state, now: Date.now(), home: planned.home, columns, rows, paint });
  let isOurs = true;
  const handOver = (): void => {
    process.off("exit", giveBack).off("uncaughtExceptionMonitor", giveBack);
    for (const signal of SIGNALS) process.off(signal, end);
    isOurs = false;
  };
  const giveBack = (): void => {
    if (!isOurs) return;
    handOver();
    try {
      writeSync(1, LEAVE);
    } catch {
      // The terminal is gone itself.
    }
  };
  const end = (signal: NodeJS.Signals): void => {
    giveBack();
    process.kill(process.pid, signal);
  };
  process.on("exit", giveBack).on("uncaughtExceptionMonitor", giveBack);
  for (const signal of SIGNALS) process.on(signal, end);
  leaveTaken({ ...planned, handOver, giveBack });
  // At once: the first write of Node's own stream takes half a millisecond longer.
  writeSync(1, `${ENTER}${changedLines(lines, undefined)}`);
}

show();
