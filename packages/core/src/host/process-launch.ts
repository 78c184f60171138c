/**
 * How a living process was started: argv, environment and working directory, so that a stopped process can be started again as
 * it was. Linux only; a process that renamed itself shows its title instead of its argv.
 */
import { readFileSync, readlinkSync } from "node:fs";

import { readProcEnvironment } from "./proc.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { judgeProcess } from "./process-identity.ts";

/** Everything needed to start a process again as it was started. */
export interface ProcessLaunch {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Returns how the process was started, or undefined where the host does not tell. Source: proc_pid_environ(5), proc_pid_cmdline(5). */
export function readProcessLaunch(identity: ProcessIdentity): ProcessLaunch | undefined {
  const folder = `/proc/${identity.pid}`;
  try {
    // A title that is shorter than the argv it overwrote is padded with zero bytes.
    const argv = readFileSync(`${folder}/cmdline`, "utf8").replace(/\0+$/, "").split("\0");
    const environment = readProcEnvironment(identity.pid);
    const cwd = readlinkSync(`${folder}/cwd`);
    // Read first, check afterwards: the data belongs to this process only if it is still the same process.
    if (judgeProcess(identity) !== "alive") return undefined;
    const pairs = environment.filter((line) => line.indexOf("=") > 0).map((line) => splitPair(line));
    return { argv, env: Object.fromEntries(pairs), cwd };
  } catch {
    return undefined;
  }
}

function splitPair(line: string): readonly [string, string] {
  const split = line.indexOf("=");
  return [line.slice(0, split), line.slice(split + 1)];
}
