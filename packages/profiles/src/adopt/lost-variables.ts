/**
 * Which variables of the old gateway ours would not have, told by the process that lives, and by its unit where the process
 * does not show them. Names only: the values may be secrets. Pure but for the reading of files and of /proc.
 */
import { readProcessLaunch } from "@lockkeeper/core";
import type { ProcessIdentity } from "@lockkeeper/core";
import type { Installation } from "../foreign-program.ts";
import { unitEnvironment } from "../service-units/unit-environment.ts";

/** Set by shells, terminals, sessions and service managers for one process: every process has its own. */
const OF_ONE_PROCESS =
  /^(?:_|PWD|OLDPWD|SHLVL|TERM(?:_.*)?|COLORTERM|LS_COLORS|COLUMNS|LINES|PS1|HISTFILE|MAIL|SSH_.*|DISPLAY|WAYLAND_DISPLAY|TMUX.*|STY|WINDOWID|VTE_.*|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_.*|MANAGERPID.*|LISTEN_(?:PID|FDS|FDNAMES)|NOTIFY_SOCKET|WATCHDOG_.*|MEMORY_PRESSURE_.*|MAINPID|CREDENTIALS_DIRECTORY|RUNTIME_DIRECTORY|XPC_.*|__CF.*|LOCKKEEPER_.*)$/;

/** The old gateway's variables, as far as they can be known; undefined when nothing shows them. */
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

/** Returns the names that `old` has and `ours` lacks or has with another value, sorted. `keeps`: what the program has anyway. */
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

/** A path or a language differs from shell to shell and is no loss; a key that has another value is one. */
function isOwnChoice(name: string): boolean {
  return !/^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|TZ|TMPDIR|LC_.*|XDG_.*|NO_COLOR)$/.test(name);
}
