/**
 * The order in which profiles are started and stopped: which comes after which, and which circle would make its members wait
 * for ever. Pure. A missing profile in `after` is a step like any other: its start reports that it is missing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand } from "@lockkeeper/core/internal";

/** The part of a profile that decides its place in the order. */
export interface Ordered {
  readonly name: string;
  readonly after?: readonly string[] | undefined;
}

/** Profiles by name. */
export type OrderedProfiles = ReadonlyMap<string, Ordered>;

/** One profile to act on, once the steps that it awaits have ended. */
export interface OrderedStep {
  readonly name: string;
  readonly awaits: readonly string[];
}

/** The steps, in order. */
export interface OrderPlan {
  /** No step awaits a later one. */
  readonly steps: readonly OrderedStep[];
  /** Profiles outside the steps that come after one of them. Sorted. */
  readonly followers: readonly string[];
}

/**
 * Returns the names and everything that they come after; each step awaits those that it comes after.
 *
 * @throws {LockkeeperError} OPTION_INVALID when one of them waits for itself.
 */
export function planStart(profiles: OrderedProfiles, names: readonly string[]): OrderPlan {
  const all = withPredecessors(profiles, names);
  const members = [...all].map((name) => profiles.get(name) ?? { name });
  const circle = findCircle(members);
  if (circle !== undefined) throw circleError(circle, "so none of them can be started");
  return {
    steps: inOrder(members.map(({ name, after = [] }) => ({ name, awaits: after }))),
    followers: followersOf(profiles, all),
  };
}

/**
 * Returns only the names; each step awaits those that it comes after, directly or not. A profile that waits for itself awaits
 * none.
 */
export function planRestart(profiles: OrderedProfiles, names: readonly string[]): OrderPlan {
  const chosen = new Set(names);
  const steps = names.map((name) => ({
    name,
    awaits: predecessorsOf(profiles, name).filter((each) => chosen.has(each)),
  }));
  return { steps: inOrder(steps), followers: followersOf(profiles, chosen) };
}

/**
 * Returns only the names; each step awaits those that come after it, directly or not. A profile that waits for itself awaits
 * none.
 */
export function planStop(profiles: OrderedProfiles, names: readonly string[]): OrderPlan {
  const chosen = new Set(names);
  const awaits = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const name of names) for (const each of predecessorsOf(profiles, name)) awaits.get(each)?.push(name);
  return {
    steps: inOrder([...awaits].map(([name, followers]) => ({ name, awaits: followers }))),
    followers: followersOf(profiles, chosen),
  };
}

/** Returns the names of a circle in its order, the first one again at its end; undefined when there is none. */
export function findCircle(profiles: Iterable<Ordered>): readonly string[] | undefined {
  const byName = new Map([...profiles].map((profile) => [profile.name, profile]));
  const cleared = new Set<string>();
  for (const start of byName.keys()) {
    // Without recursion: a chain may be as long as there are profiles.
    const path: string[] = [];
    const onPath = new Set<string>();
    const pending: { readonly name: string; readonly depth: number }[] = [{ name: start, depth: 0 }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const left of path.splice(next.depth)) {
        onPath.delete(left);
        cleared.add(left);
      }
      if (onPath.has(next.name)) return [...path.slice(path.indexOf(next.name)), next.name];
      if (cleared.has(next.name)) continue;
      path.push(next.name);
      onPath.add(next.name);
      for (const name of byName.get(next.name)?.after ?? []) pending.push({ name, depth: path.length });
    }
    for (const left of path) cleared.add(left);
  }
  return undefined;
}

/**
 * Returns when `after` has no circle that `before` did not have. An existing circle must not block other changes, or its own
 * repair.
 *
 * @throws {LockkeeperError} OPTION_INVALID naming the circle.
 */
export function refuseNewCircle(before: OrderedProfiles, after: readonly Ordered[]): void {
  if (after.every((profile) => profile.after === undefined)) return;
  const changed = after.some((profile) => before.get(profile.name)?.after?.join() !== profile.after?.join());
  const circle = changed ? findCircle(after) : undefined;
  if (circle !== undefined && findCircle(before.values()) === undefined)
    throw circleError(circle, "nothing was changed");
}

/** Returns the error for a circle of profiles. */
function circleError(circle: readonly string[], outcome: string): LockkeeperError {
  const [name = ""] = circle;
  return new LockkeeperError("OPTION_INVALID", `${circle.join(" comes after ")}: a circle, ${outcome}`, {
    hint: `Take one of them out of it: ${shellCommand("lockkeeper", "edit", name, "--unset", "after")}`,
  });
}

/** Everything that `name` comes after, directly or not, without `name` itself. */
function predecessorsOf(profiles: OrderedProfiles, name: string): readonly string[] {
  const found = withPredecessors(profiles, [name]);
  found.delete(name);
  return [...found];
}

function withPredecessors(profiles: OrderedProfiles, names: readonly string[]): Set<string> {
  const found = new Set(names);
  for (const name of found) for (const each of profiles.get(name)?.after ?? []) found.add(each);
  return found;
}

function followersOf(profiles: OrderedProfiles, chosen: ReadonlySet<string>): readonly string[] {
  const found = new Set(chosen);
  const others = [...profiles.values()];
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const { name, after = [] } of others) if (after.some((each) => found.has(each))) found.add(name);
  }
  return [...found].filter((name) => !chosen.has(name)).sort();
}

/** Sorts the steps so that each follows those that it awaits; steps of a circle await none. */
function inOrder(steps: readonly OrderedStep[]): readonly OrderedStep[] {
  const waiting = new Map(steps.map((step) => [step.name, new Set(step.awaits)]));
  const sorted: OrderedStep[] = [];
  let rest = steps;
  while (rest.length > 0) {
    const free = rest.filter(({ name }) => waiting.get(name)?.size === 0);
    if (free.length === 0) return [...sorted, ...rest.map(({ name }) => ({ name, awaits: [] }))];
    sorted.push(...free);
    rest = rest.filter((step) => !free.includes(step));
    for (const left of waiting.values()) for (const { name } of free) left.delete(name);
  }
  return sorted;
}
