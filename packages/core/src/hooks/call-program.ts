/**
 * Calls one program and writes a document to its standard input. There is no shell and there are no arguments. The program
 * runs in a session of its own and sees only the environment given here. If it has not finished when the signal aborts, it is
 * killed together with its process group.
 */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";

import { errnoOf } from "../errors.ts";
import { identifyProcess } from "../host/process-identity.ts";
import { signalGroup } from "../host/process-signal.ts";
import type { Attempt } from "./post-json.ts";

/** Returns how it went; never throws. */
export async function callProgram(
  path: string,
  input: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Attempt> {
  const fault = programFault(path);
  if (fault !== undefined) return { told: false, detail: fault, again: false };
  return new Promise((resolve) => {
    const child = spawn(path, [], { cwd: "/", env, detached: true, stdio: ["pipe", "ignore", "ignore"] });
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    const own =
      child.pid === undefined
        ? undefined
        : { pid: child.pid, hasEnded: () => child.exitCode !== null || child.signalCode !== null };
    const kill = (): void => {
      if (identity !== undefined) signalGroup(identity, "SIGKILL", undefined, own);
    };
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    // A program may ignore its standard input.
    child.stdin.on("error", () => undefined).end(`${input}\n`);
    child.once("error", (error) => {
      signal.removeEventListener("abort", kill);
      resolve({ told: false, detail: errnoOf(error) ?? "cannot be run", again: false });
    });
    child.once("exit", (code, killedBy) => {
      signal.removeEventListener("abort", kill);
      if (code === 0) resolve({ told: true, detail: "exit 0" });
      else if (signal.aborted) resolve({ told: false, detail: "not done in time, killed", again: true });
      else resolve({ told: false, detail: killedBy === null ? `exit ${code}` : `killed by ${killedBy}`, again: true });
    });
  });
}

/** The program runs with our rights, so a file that others can write is refused. */
function programFault(path: string): string | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return "is not a plain file";
    if (process.platform === "win32") return undefined;
    if (stats.uid !== process.geteuid?.() && stats.uid !== 0) return `belongs to another user (uid ${stats.uid})`;
    return (stats.mode & 0o002) === 0 ? undefined : "can be written by everybody";
  } catch (error) {
    return errnoOf(error) ?? "cannot be looked at";
  }
}
