/**
 * What a unit's command line itself says about the program behind it: `env NAME=value program`, `sh -c 'export NAME=value;
 * exec program'`, `sudo -u ann program`. Such a gateway may be another user's, though its unit names no other home. A value
 * that only a shell could compute stays as it is written. Pure.
 */
import path from "node:path";

/** The variables and the user that a command line gives to its program. */
export interface CommandEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  /** Null: none is named. */
  readonly user: string | null;
}

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ash", "zsh", "ksh"]);
/** Programs that start another one as somebody else. */
const USER_SWITCHES: ReadonlySet<string> = new Set(["sudo", "runuser", "doas", "su"]);
/** An argument that sets a variable, and the same within the text of a shell. */
const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s;
const ASSIGNMENTS = /(?<![\w$-])([A-Za-z_]\w*)=("[^"]*"|'[^']*'|[^\s;&|]*)/g;

const NOTHING: CommandEnvironment = { environment: {}, user: null };

/** Returns what `argv` says; nothing for a command that starts its program directly. */
export function readCommandEnvironment(argv: readonly string[]): CommandEnvironment {
  const names = argv.map((word) => path.basename(word));
  const [first = ""] = names;
  if (first !== "env" && !SHELLS.has(first) && !USER_SWITCHES.has(first)) return NOTHING;
  const environment: Record<string, string> = {};
  // `gateway` and `run` are the verbs of the programs that we look for: what follows is for them.
  const verb = argv.findIndex((word) => word === "gateway" || word === "run");
  const wrapped = verb < 0 ? argv : argv.slice(0, verb);
  for (const [index, word] of wrapped.entries()) {
    const isScript = /^-[a-z]*c$/.test(wrapped[index - 1] ?? "");
    if (isScript) Object.assign(environment, assignmentsIn(word));
    const [, name, value] = isScript ? [] : (ASSIGNMENT.exec(word) ?? []);
    if (name !== undefined && value !== undefined) environment[name] = value;
  }
  const at = names.findIndex((name) => USER_SWITCHES.has(name));
  return { environment, user: at < 0 || at >= wrapped.length ? null : userIn(wrapped.slice(at)) };
}

function assignmentsIn(script: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [, name = "", value = ""] of script.matchAll(ASSIGNMENTS)) {
    found[name] = value.replace(/^(["'])(.*)\1$/s, "$2");
  }
  return found;
}

/** `-u ann`, `-uann`, `--user ann`, `--user=ann`; for `su` the first argument that is no option. */
function userIn([program = "", ...rest]: readonly string[]): string | null {
  if (path.basename(program) === "su") return rest.find((word) => !word.startsWith("-")) ?? null;
  const at = rest.findIndex((word) => /^(?:-u|--user$|--user=)/.test(word));
  const word = rest[at];
  if (word === undefined) return null;
  return /^(?:-u|--user)$/.test(word) ? (rest[at + 1] ?? null) : word.replace(/^(?:-u|--user=)/, "");
}
