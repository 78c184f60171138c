/**
 * The variables that `env`, `exec` and `shell` export: config, state, port and workspace, together or not at all, and none of
 * another profile. The gateway's own secrets and custom variables stay with the gateway. Rendering is pure.
 */
import type { ProfilesContext } from "../context.ts";
import { kindVariables } from "../kinds/kinds.ts";
import { observeProfile, statusOf } from "../status/observe-profile.ts";
import { isProfileVariable, profileEnvironment, PROFILE_VARIABLES } from "./profile-environment.ts";

/** The supported shells. */
export type ShellName = "bash" | "zsh" | "fish";

/** What a shell or a child process needs to act on one profile. */
export interface ShellEnvironment {
  readonly profile: string;
  /** Whether the prompt should warn. */
  readonly protected: boolean;
  /** Every variable that can belong to a profile: dropped before anything is set. */
  readonly unset: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  /** The whole environment of a child: the caller's, without `unset` and with `set`. */
  readonly child: Readonly<Record<string, string>>;
}

/**
 * Returns the variables with which a process acts on the profile. Port and scheme are the present ones: those of a run that was
 * started with others while it lasts, otherwise the profile's own.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, REGISTRY_DAMAGED.
 */
export function shellEnvironment(context: ProfilesContext, name: string): ShellEnvironment {
  const observation = observeProfile(context, name);
  const { port, scheme } = statusOf(context, observation);
  const { manifest } = observation;
  // Of an adopted gateway's own variables, those that say which profile it is belong to the set.
  const own = Object.entries(manifest.env ?? {}).filter(([variable]) => isProfileVariable(variable));
  const set = { ...Object.fromEntries(own), ...profileEnvironment(context.home, { ...manifest, scheme }, port) };
  // A shell can unset a variable only by its name, so present variables that are on no list are named too.
  const present = Object.keys(context.env).filter(isProfileVariable).sort();
  const inherited = Object.entries(context.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !isProfileVariable(entry[0]),
  );
  return {
    profile: manifest.name,
    protected: manifest.protected,
    unset: [...new Set([...PROFILE_VARIABLES, ...kindVariables, ...present])].filter(
      (variable) => !Object.hasOwn(set, variable),
    ),
    set,
    child: { ...Object.fromEntries(inherited), ...set },
  };
}

/** Returns lines for `eval` (bash, zsh) or `source` (fish) that put the environment into a shell. Nothing is expanded. */
export function formatShellEnvironment({ unset, set }: ShellEnvironment, shell: ShellName): string {
  const lines =
    shell === "fish"
      ? [
          ...unset.map((variable) => `set -e ${variable};`),
          ...Object.entries(set).map(([variable, value]) => `set -gx ${variable} ${quoteForFish(value)};`),
        ]
      : [
          `unset ${unset.join(" ")}`,
          ...Object.entries(set).map(([variable, value]) => `export ${variable}=${quoteForPosix(value)}`),
        ];
  return `${lines.join("\n")}\n`;
}

function quoteForPosix(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

function quoteForFish(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
