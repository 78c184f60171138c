/** A finding of `doctor`: one fact that matters, the evidence, and the one command that helps. */
import type { ProfilesContext } from "../context.ts";
import type { HostFacts } from "../run/host-facts.ts";
import type { HostRoots } from "../service-units/host-roots.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";

/**
 * `error`: something does not work, or will not. `warning`: it works, but is not as it should be. `unknown`: this host does
 * not say, so nothing is claimed.
 */
export type Weight = "error" | "warning" | "unknown";

/** A change that loses nothing, to be shown before it is made. */
export interface Repair {
  /** Its effect, as a verb phrase: `close /home/a/.lockkeeper/registry.json to others (mode 0600)`. */
  readonly what: string;
  readonly apply: () => Promise<void>;
}

/** One fact that matters. A contract with scripts: fields are added, never renamed or removed. */
export interface Finding {
  readonly weight: Weight;
  /** Stable, for scripts: `port-conflict`. */
  readonly code: string;
  readonly title: string;
  /** The observations, one fact a line. */
  readonly evidence: readonly string[];
  /** The one command that helps, as it can be pasted; null when there is nothing to run, or only `hint` says what. */
  readonly command: string | null;
  /** What to do, as a sentence, with that command at its end. @default nothing to add to `command` */
  readonly hint?: string;
  readonly fix?: Repair;
}

/** Programs that a hint of ours may end with. */
const PROGRAMS = [
  "lockkeeper",
  "cat",
  "chmod",
  "chown",
  "cp",
  "df",
  "journalctl",
  "kill",
  "loginctl",
  "ls",
  "mkdir",
  "mv",
  "pm2",
  "rm",
  "rmdir",
  "sudo",
  "systemctl",
  "vi",
];
const COMMAND = new RegExp(`^(?:.*?: )?((?:${PROGRAMS.join("|")}) .+)$`, "s");
/** A word that a person has to replace first. */
const PLACEHOLDER = /(?:^| )(?:NAME\b|[A-Z]=|<)/;

/** Returns the advice of an error's hint: the sentence, and the command at its end when that can be pasted as it stands. */
export function adviceOf(hint: string | null | undefined): Pick<Finding, "command" | "hint"> {
  if (hint === null || hint === undefined) return { command: null };
  const command = COMMAND.exec(hint)?.[1];
  if (command === hint) return { command };
  return { command: command === undefined || PLACEHOLDER.test(command) ? null : command, hint };
}

/** One check. Changes nothing; throws only because of a bug. */
export type Check = (scene: Scene) => Promise<readonly Finding[]> | readonly Finding[];

/** What the checks need, read once. */
export interface Scene {
  readonly context: ProfilesContext;
  readonly roots: HostRoots;
  /** Empty when the registry is damaged. */
  readonly patients: readonly ProfileObservation[];
  readonly facts: HostFacts;
}
