/**
 * Calls a systemd, of the user or of the host. Every call has a deadline, and an unreachable manager is told apart from a
 * manager that refuses.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { LockkeeperError } from "@lockkeeper/core";

/** The systemd to call. */
export type SystemdScope = "systemd" | "systemd-user";

/** The result of a call. */
export interface SystemctlAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const CALL_TIMEOUT_MS = 20_000;

/** Messages of systemctl when it reaches no manager. Source: its own texts, because it has no exit status for that. */
const UNREACHABLE = /Failed to connect to (?:user scope )?bus|System has not been booted with systemd|No medium found/i;

/**
 * Returns the answer of `systemctl`, whatever its status.
 *
 * @throws {LockkeeperError} MANAGER_UNREACHABLE when there is no systemctl, or no manager behind it.
 */
export async function systemctl(
  scope: SystemdScope,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs: number = CALL_TIMEOUT_MS,
): Promise<SystemctlAnswer> {
  const argv = [...(scope === "systemd-user" ? ["--user"] : []), "--no-pager", "--no-ask-password", ...args];
  const answer = await new Promise<SystemctlAnswer | Error>((resolve) => {
    execFile(
      "systemctl",
      argv,
      { env: busEnvironment(env), timeout: timeoutMs, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (error === null) resolve({ status: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ status: error.code, stdout, stderr });
        else resolve(error);
      },
    );
  });
  if (answer instanceof Error) throw unreachable(scope, answer.message, answer);
  if (answer.status !== 0 && UNREACHABLE.test(answer.stderr)) throw unreachable(scope, answer.stderr.trim());
  return answer;
}

/**
 * Returns the output of a call that must succeed.
 *
 * @throws {LockkeeperError} MANAGER_UNREACHABLE; MANAGER_REFUSED with the manager's message.
 */
export async function requireSystemctl(
  scope: SystemdScope,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const { status, stdout, stderr } = await systemctl(scope, args, env);
  if (status === 0) return stdout;
  throw new LockkeeperError("MANAGER_REFUSED", `systemctl ${args.join(" ")} ended with ${status}`, {
    evidence: stderr.trim().split("\n").slice(0, 10),
    hint: `Look at it with: systemctl ${scope === "systemd-user" ? "--user " : ""}status ${args.at(-1) ?? ""}`,
  });
}

/** Returns properties of a unit; systemd answers for units that do not exist as well. */
export async function showUnit(
  scope: SystemdScope,
  unit: string,
  properties: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, string>>> {
  const text = await requireSystemctl(scope, ["show", unit, `--property=${properties.join(",")}`], env);
  return Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** Returns the environment that the manager gives to its services, as far as it says. */
export async function managerEnvironment(scope: SystemdScope, env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const text = await requireSystemctl(scope, ["show-environment"], env);
  return Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** A shell under `su` or cron often lacks the variable that names the user's bus, although the bus is there. */
function busEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const usual = `/run/user/${process.getuid?.() ?? 0}`;
  return (env["XDG_RUNTIME_DIR"] ?? "") === "" && existsSync(usual) ? { ...env, XDG_RUNTIME_DIR: usual } : env;
}

function unreachable(scope: SystemdScope, message: string, cause?: unknown): LockkeeperError {
  const whose = scope === "systemd-user" ? "the user's systemd" : "systemd";
  return new LockkeeperError("MANAGER_UNREACHABLE", `${whose} cannot be asked: ${message.split("\n")[0] ?? ""}`, {
    cause,
    hint:
      scope === "systemd-user"
        ? "Log in as that user itself (su and sudo have no user bus), or use --system. Without a manager: lockkeeper run --help"
        : "This host runs another init: see docs/services.md for supervisord, cron and containers.",
  });
}
