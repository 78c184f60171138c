/**
 * Starts the keeper program, for `start` and for an errand. The keeper must belong only to its own profile. A process started
 * inside some gateway is part of that gateway's run, by a variable in its environment and by its ancestry, and would be ended
 * with it. So the variable is never passed on, and from inside a gateway the program starts itself once more and ends
 * (`detach`): the keeper then has no ancestor there.
 */
import { fileError, RUN_VARIABLE } from "@lockkeeper/core/internal";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { ProfilesContext } from "../context.ts";
import { buildKeeperEnvironment } from "../environment/child-environment.ts";
import type { Manifest } from "../manifest.ts";

/** A job that a command inside a gateway cannot finish itself: the keeper ends the present run first. */
export interface Errand {
  /** `restart`: end the present run, then keep the next. `stop`: only end it. */
  readonly errand: "restart" | "stop";
  /** The asking process; the errand begins when it has confirmed and ended. */
  readonly askedBy: number;
  /** For the stop. @default by kind */
  readonly timeoutMs: number | undefined;
}

/** The job of a new keeper. */
export interface KeeperCommand {
  readonly manifest: Pick<Manifest, "name" | "passEnv" | "hooks" | "lease">;
  /** For the history. */
  readonly startedBy: string;
  /** Base port of this run. @default the profile's own */
  readonly port?: number | undefined;
  /** What the gateway has for its start. @default by kind */
  readonly startTimeoutMs?: number | undefined;
  readonly errand?: Errand | undefined;
  /** Whether we belong to an earlier run, whose remains must then not be ended. @default false */
  readonly sparesEarlierRun?: boolean | undefined;
  /** Whether a profile with a lease waits while another host owns it. @default the lease's own setting */
  readonly standby?: boolean | undefined;
}

/**
 * Returns the started program; its standard output is a pipe of keeper reports. With an errand, or from inside a gateway, this
 * program only starts the keeper and ends; the pipe is the keeper's anyway.
 *
 * @throws {LockkeeperError} when Node cannot be started.
 */
export async function spawnKeeper(context: ProfilesContext, command: KeeperCommand): Promise<ChildProcess> {
  const { [RUN_VARIABLE]: run, ...env } = context.env;
  const { passEnv = [], hooks, lease } = command.manifest;
  // Its own messages to others; a health check takes any certificate.
  const speaksTls = hooks !== undefined || lease !== undefined;
  const detach = run !== undefined || command.errand !== undefined;
  const child = spawn(process.execPath, keeperArgv(context, command, detach), {
    // Its working directory must not block the caller's folder.
    cwd: context.home,
    // It outlives its starter by months, so it must neither need nor show the starter's environment.
    env: buildKeeperEnvironment({ home: context.home, from: env, pass: passEnv, speaksTls }),
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
    windowsHide: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(fileError(error, "start the keeper", context.programs.keeper)));
  });
  return child;
}

function keeperArgv({ home, programs }: ProfilesContext, command: KeeperCommand, detach: boolean): readonly string[] {
  const { manifest, startedBy, port, startTimeoutMs, errand, standby } = command;
  const argv = [programs.keeper, "--home", home, "--profile", manifest.name];
  argv.push("--gateway", programs.gateway, "--started-by", startedBy);
  if (port !== undefined) argv.push("--port", String(port));
  if (startTimeoutMs !== undefined) argv.push("--start-timeout", String(startTimeoutMs));
  if (errand !== undefined) argv.push("--errand", errand.errand, "--asked-by", String(errand.askedBy));
  if (errand?.timeoutMs !== undefined) argv.push("--timeout", String(errand.timeoutMs));
  if (command.sparesEarlierRun === true) argv.push("--spare");
  if (standby === false) argv.push("--no-standby");
  if (detach) argv.push("--detach");
  return argv;
}
