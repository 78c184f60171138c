/**
 * The gateway as a process: started by us in its own process group, or a successor that it left and that we only watch. Either
 * way there is an identity and a promise of its end.
 */
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";

import { errnoOf, LockkeeperError } from "../errors.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { identifyProcess, judgeProcess } from "../host/process-identity.ts";
import type { OwnChild } from "../host/process-tree.ts";
import { RUN_VARIABLE } from "../host/run-bond.ts";
import { pause } from "../pause.ts";
import type { KeptProgram } from "./kept-program.ts";
import { readKeptProgram } from "./kept-program.ts";
import type { GatewayExit } from "./run-record.ts";

/** One gateway process, whoever started it. */
export interface GatewayProcess {
  /** Null when it ended before it could be identified. */
  readonly identity: ProcessIdentity | null;
  /** Set for our own child, which we know without asking the host. */
  readonly child?: OwnChild | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Resolves at the end of the process, and of a successor also at the end of the watch, with nothing known; never rejects. */
  readonly exited: Promise<GatewayExit>;
}

/** What {@link spawnGateway} starts. */
export interface GatewayCommand {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nonce: string;
  /** Our own program among the arguments, in case its file is removed. */
  readonly kept?: KeptProgram | undefined;
  /** Receives standard output and error. */
  readonly logFd: number;
  /** Becomes the child's descriptor 3: the lock lives as long as the keeper or the gateway. */
  readonly lockFd: number;
}

/** A successor is not our child, so its end must be polled. */
const SUCCESSOR_LOOK_MS = 1_000;

/**
 * Starts the gateway, without a shell, as the leader of a process group of its own.
 *
 * @throws {LockkeeperError} COMMAND_NOT_FOUND naming the command and where it was searched.
 * @throws {LockkeeperError} GATEWAY_EXITED when the system refuses to start it for another reason.
 */
export async function spawnGateway(command: GatewayCommand): Promise<GatewayProcess> {
  const { argv, cwd, env, nonce, logFd, lockFd, kept } = command;
  const lost = kept !== undefined && !existsSync(kept.path) ? kept : undefined;
  const [file, ...args] = argv.map((argument) => (argument === lost?.path ? "-" : argument)) as [string, ...string[]];
  try {
    const child = spawn(file, args, {
      cwd,
      env: { ...env, [RUN_VARIABLE]: nonce },
      detached: true,
      stdio: [lost === undefined ? "ignore" : "pipe", logFd, logFd, lockFd],
      windowsHide: true,
    });
    // A program that ends before it has read everything reports that by its exit.
    child.stdin?.on("error", () => undefined).end(lost === undefined ? undefined : readKeptProgram(lost));
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    const exited = new Promise<GatewayExit>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal, at: new Date().toISOString() }));
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const known = child.pid === undefined ? undefined : { pid: child.pid, hasEnded, ended: exited };
    return { identity: identity ?? null, child: known, startedAt: new Date().toISOString(), exited };
  } catch (error) {
    throw spawnError(error, command);
  }
}

/** Watches a living process that is not our child. Its exit code stays unknown. */
export function adoptGateway(identity: ProcessIdentity, until: AbortSignal): GatewayProcess {
  const watch = async (): Promise<GatewayExit> => {
    while (judgeProcess(identity) !== "gone" && !until.aborted) await pause(SUCCESSOR_LOOK_MS, until);
    return { code: null, signal: null, at: new Date().toISOString() };
  };
  return { identity, startedAt: new Date().toISOString(), exited: watch() };
}

/** Says how a gateway ended, in words. */
export function describeExit({ code, signal }: GatewayExit): string {
  if (signal !== null) return `killed by ${signal}`;
  return code === null ? "ended" : `exited with code ${code}`;
}

function spawnError(error: unknown, { argv: [file], cwd, env }: GatewayCommand): LockkeeperError {
  const errno = errnoOf(error) ?? String(error);
  if (errno !== "ENOENT") {
    return new LockkeeperError(
      errno === "EACCES" || errno === "ENOEXEC" ? "COMMAND_NOT_FOUND" : "GATEWAY_EXITED",
      `cannot run ${file}: ${errno}`,
      { cause: error, hint: "Check that it is an executable program." },
    );
  }
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return new LockkeeperError("COMMAND_NOT_FOUND", `cannot run ${file}: its working directory is missing: ${cwd}`, {
      cause: error,
      hint: "Create that directory, or give the profile another one with --cwd.",
    });
  }
  const where = file.includes("/") ? "" : ` (PATH searched: ${env["PATH"] ?? "the system's default"})`;
  return new LockkeeperError("COMMAND_NOT_FOUND", `command not found: ${file}${where}`, {
    cause: error,
    hint: "Name the program by its full path, or check the PATH of the profile.",
  });
}
