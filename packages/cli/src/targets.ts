/**
 * Chooses the profiles of a command: the named ones, or those of the command's rule; and asks for confirmation before a
 * protected one is touched. Every command with names calls this first.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand } from "@lockkeeper/core/internal";
import type { Profiles, ProfileStatus } from "@lockkeeper/profiles";
import { isPattern } from "@lockkeeper/profiles";
import type { Failure } from "./command-module.ts";
import type { Context } from "./context.ts";

/** The profiles that a command line names. */
export interface Named {
  readonly names: readonly string[];
  readonly all?: boolean;
  readonly profile?: string | undefined;
  /** Protected profiles whose name was given a second time. */
  readonly confirm?: readonly string[];
}

/** The profiles to act on. */
export interface Targets {
  readonly names: readonly string[];
  /** Protected profiles that are left alone, because they were not named. */
  readonly skipped: readonly string[];
  /** Living ones that are left alone, because nothing tells whether they are protected. @default none */
  readonly unknown?: readonly string[];
}

/**
 * Returns the names to act on, each once, in the order given. They are not checked for existence here.
 *
 * @throws {LockkeeperError} USAGE when a name is needed and none is given; CONFIRMATION_NEEDED when a protected profile was
 * named but not confirmed; nothing has been touched then.
 */
export async function chooseTargets(context: Context, profiles: Profiles, named: Named): Promise<Targets> {
  const words = [...named.names, ...(named.profile === undefined ? [] : [named.profile])];
  // Plain names need no look at the registry here.
  const names = words.some(isPattern) ? await profiles.match(words, purposeOf(context)) : [...new Set(words)];
  if (names.length > 0 && named.all === true) {
    throw new LockkeeperError("USAGE", `--all and the name ${names[0]} contradict each other`, {
      hint: "Give one or the other.",
    });
  }
  const { rule } = context.spec;
  if (names.length > 0) {
    if (rule !== undefined && rule.protected !== "usual") await confirmProtected(context, profiles, names, named);
    return { names, skipped: [] };
  }
  if (named.all === true || rule?.unnamed === "all") return chooseAll(context, profiles);
  if (rule?.unnamed === "current") return { names: [await currentName(context, profiles)], skipped: [] };
  const takesAll = context.spec.options.includes("all");
  const all = isRepeatedByNames(context)
    ? `For all of them: lockkeeper ${context.command} --all`
    : "For all of them, add to the same command: --all";
  throw new LockkeeperError("USAGE", `${context.command} needs a profile name${takesAll ? " (or --all)" : ""}`, {
    hint: takesAll ? all : "See the names: lockkeeper list",
  });
}

/** Returns the profile that is named or current. @throws {LockkeeperError} USAGE when there is none. */
export async function chooseTarget(
  context: Context,
  profiles: Profiles,
  name: string | undefined,
  profile: string | undefined,
): Promise<string> {
  const { names } = await chooseTargets(context, profiles, { names: name === undefined ? [] : [name], profile });
  const [one, another] = names;
  if (one !== undefined && another === undefined) return one;
  throw new LockkeeperError("USAGE", `${context.command} takes one profile, not ${names.join(" and ")}`, {
    hint: "Give the argument or --profile.",
  });
}

async function currentName(context: Context, profiles: Profiles): Promise<string> {
  const { name } = await profiles.selection();
  if (name !== null) return name;
  const [first] = await profiles.list({ probe: false });
  if (first === undefined) {
    throw new LockkeeperError("USAGE", `${context.command}: there are no profiles yet in ${profiles.home}`, {
      hint: "Make and start one: lockkeeper up dev",
    });
  }
  throw new LockkeeperError("USAGE", `${context.command} needs a profile name: no default is set in ${profiles.home}`, {
    hint: `For example: ${shellCommand("lockkeeper", context.command, first.name)}`,
  });
}

async function chooseAll(context: Context, profiles: Profiles): Promise<Targets> {
  const spare = context.spec.rule !== undefined && context.spec.rule.protected !== "usual";
  const names: string[] = [];
  const skipped: string[] = [];
  const unknown: string[] = [];
  for (const status of await profiles.list({ probe: false, ...purposeOf(context) })) {
    const { name, pid, keeperPid } = status;
    const protection = spare ? await profiles.protection(name) : "open";
    if (protection === "open") names.push(name);
    else if (protection === "protected") skipped.push(name);
    else if (pid !== null || keeperPid !== null || !isAtRest(status)) unknown.push(name);
  }
  return { names, skipped, ...(unknown.length > 0 && { unknown }) };
}

function isAtRest({ state }: ProfileStatus): boolean {
  return state === "stopped" || state === "failed" || state === "blocked";
}

/** Which profiles the command asks for, in the words of the library. */
function purposeOf({ spec: { rule } }: Context): { readonly toAct?: true; readonly known?: true } {
  if (rule?.to === "look") return { known: true };
  return rule?.to === "stop" ? { toAct: true, known: true } : { toAct: true };
}

/** Commands that are not repeated by the names of profiles alone. */
const TAKES_MORE: ReadonlySet<string> = new Set(["edit", "rename", "clone", "service"]);

/** Whether the command and its names are the whole call, so that a hint can write it out. */
function isRepeatedByNames({ command, hasOptions }: Context): boolean {
  return !TAKES_MORE.has(command) && !hasOptions;
}

async function confirmProtected(
  context: Context,
  profiles: Profiles,
  names: readonly string[],
  { confirm = [], names: words }: Named,
): Promise<void> {
  for (const name of names) {
    if (confirm.includes(name)) continue;
    const protection = await profiles.protection(name);
    if (protection === "open") continue;
    const fact = protection === "protected" ? `${name} is protected` : unknownProtection(name);
    const typed = context.world.canAsk()
      ? await context.world.ask(`${fact}. Type its name to ${context.command} it: `)
      : undefined;
    if (typed?.trim() === name) continue;
    const confirms = [...confirm, name].flatMap((each) => ["--confirm", each]);
    throw new LockkeeperError("CONFIRMATION_NEEDED", `${fact}: nothing was done`, {
      hint: isRepeatedByNames(context)
        ? `If you mean it: ${shellCommand("lockkeeper", context.command, ...(words.length === 0 ? names : words), ...confirms)}`
        : `If you mean it, add to the same command: --confirm ${name}`,
    });
  }
}

function unknownProtection(name: string): string {
  return `whether ${name} is protected cannot be read`;
}

/** Returns the failures for living profiles that a command left alone, because nothing tells whether they are protected. */
export function unknownFailures({ command }: Context, { unknown = [] }: Targets): readonly Failure[] {
  return unknown.map((name) => ({
    name: null,
    error: new LockkeeperError("CONFIRMATION_NEEDED", `${unknownProtection(name)}: it was left alone`, {
      hint: `If you mean it: ${shellCommand("lockkeeper", command, name, "--confirm", name)}`,
    }),
  }));
}

/** Says which protected profiles a command left alone; empty when there are none. */
export function skippedNotes(context: Context, { skipped }: Targets): readonly string[] {
  return skipped.map(
    (name) =>
      `${name} is protected and was left alone. To include it: lockkeeper ${context.command} ${name} --confirm ${name}`,
  );
}
