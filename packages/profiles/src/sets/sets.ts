/** The door of this room: a file of profiles, planned and applied. */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { readRegistry, requireFrom } from "../registry/registry.ts";
import { applySet } from "./apply-set.ts";
import { planSet } from "./plan-set.ts";
import type { SetPlan } from "./plan-set.ts";
import { readSet } from "./read-set.ts";
import type { ProfileSet } from "./read-set.ts";
import { readSetFile } from "./set-file.ts";

/** Which file, and how its profiles are named here. */
export interface SetRequest {
  /** Absolute, or relative to the process. */
  readonly file: string;
  /** Put before each name in the file. @default "" */
  readonly prefix?: string | undefined;
}

/** Returns what applying the file would do. Throws the errors of reading and planning a set. */
export async function planSetFile(context: ProfilesContext, request: SetRequest): Promise<SetPlan> {
  return (await planSet(context, read(context, request))).plan;
}

/** Carries out `agreed`, except for its restarts. Throws as {@link applySet}. */
export async function applySetFile(context: ProfilesContext, request: SetRequest, agreed: SetPlan): Promise<void> {
  await applySet(context, read(context, request), agreed);
}

/**
 * Returns the names of a file that was applied.
 *
 * @throws {LockkeeperError} CONFIRMATION_NEEDED when one of its profiles does not exist or does not belong to it.
 */
export async function appliedNames(context: ProfilesContext, request: SetRequest): Promise<readonly string[]> {
  const set = read(context, request);
  const registry = readRegistry(context.home);
  const names = set.profiles.map(({ name }) => name);
  const strange = names.find((name) => registry.get(name)?.set?.file !== set.file);
  if (strange === undefined) return names;
  const prefix = set.prefix === "" ? [] : ["--prefix", set.prefix];
  throw new LockkeeperError("CONFIRMATION_NEEDED", `${set.file} was not applied: ${strange} is not of it`, {
    hint: `See what it would do, then apply it: ${shellCommand("lockkeeper", "apply", "-f", set.file, ...prefix)}`,
  });
}

/** Returns the text of a file that makes these profiles. @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID. */
export async function exportSet({ home, owner }: ProfilesContext, names: readonly string[]): Promise<string> {
  const registry = readRegistry(home, owner);
  const { formatSet } = await import("./write-set.ts");
  return formatSet(names.map((name) => requireFrom(registry, home, name)));
}

function read(context: ProfilesContext, { file, prefix = "" }: SetRequest): ProfileSet {
  return readSet(readSetFile(file), prefix, readRegistry(context.home));
}
