/**
 * Finds the variables of the old gateway that ours would not have: from the living process, or from its unit where the process
 * does not show them. Names only, because the values may be secrets. Pure except for reading files and /proc.
 */
import { readProcessLaunch } from "@lockkeeper/core/internal";
import type { ProcessIdentity } from "@lockkeeper/core";
import type { Installation } from "../foreign-program.ts";
import { unitEnvironment } from "../service-units/unit-environment.ts";

/** Variables that shells, terminals, sessions and service managers set for each process. */
const OF_ONE_PROCESS =
  /^(?:_|PWD|OLDPWD|SHLVL|TERM(?:_.*)?|COLORTERM|LS_COLORS|COLUMNS|LINES|PS1|HISTFILE|MAIL|SSH_.*|DISPLAY|WAYLAND_DISPLAY|TMUX.*|STY|WINDOWID|VTE_.*|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_.*|MANAGERPID.*|LISTEN_(?:PID|FDS|FDNAMES)|NOTIFY_SOCKET|WATCHDOG_.*|MEMORY_PRESSURE_.*|MAINPID|CREDENTIALS_DIRECTORY|RUNTIME_DIRECTORY|XPC_.*|__CF.*|LOCKKEEPER_.*)$/;

/** The old gateway's variables, as far as they are known; undefined when nothing shows them. */
export function oldEnvironment(
  process: ProcessIdentity,
  units: Installation["units"],
  ourHome: string,
): Readonly<Record<string, string>> | undefined {
  const living = readProcessLaunch(process)?.env;
  if (living !== undefined) return living;
  const [unit] = units;
  return unit === undefined ? undefined : unitEnvironment(unit, ourHome);
}

/**
 * Returns the names that `old` has and `ours` lacks or has with another value, sorted. `keeps`: the variables that the
 * program has anyway.
 */
export function lostVariables(
  old: Readonly<Record<string, string>>,
  ours: Readonly<Record<string, string>>,
  keeps: (variable: string) => boolean,
): readonly string[] {
  return Object.keys(old)
    .filter((name) => !OF_ONE_PROCESS.test(name) && !keeps(name))
    .filter((name) => (Object.hasOwn(ours, name) ? isOwnChoice(name) && ours[name] !== old[name] : true))
    .sort();
}

/** A path or a language differs from shell to shell and is no loss; a key with another value is a loss. */
function isOwnChoice(name: string): boolean {
  return !/^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|TZ|TMPDIR|LC_.*|XDG_.*|NO_COLOR)$/.test(name);
}
