/** A folder among those of the profiles that no profile owns: what it is, and the one command that helps. Changes nothing. */
import { shellCommand } from "@lockkeeper/core/internal";
import { lstatSync, readdirSync } from "node:fs";
import type { HomePlace } from "../context.ts";
import { isProfileName } from "../profile-name.ts";
import { readNewerCopy, restoreCommand } from "../registry/registry.ts";
import { observeUnregistered } from "../status/observe-profile.ts";
import type { ObservedState } from "../status/observed-state.ts";

/** What is known of the folder. */
export interface LeftFolder {
  /** The run that lives in it; undefined when none does. */
  readonly run: ObservedState | undefined;
  /** Why it is there, as a clause. */
  readonly fact: string;
  /** What to do, as the beginning of a sentence that {@link command} ends. */
  readonly advice: string;
  readonly command: string;
}

/** Looks at the folder `name` of the profiles, whose path is `folder`. */
export function lookAtLeftFolder(place: HomePlace, name: string, folder: string): LeftFolder {
  const run = isProfileName(name) ? observeUnregistered(place, name)?.observed : undefined;
  if (run !== undefined && run.owner !== "nobody") {
    const command = shellCommand("lockkeeper", "stop", name);
    return { run, fact: "it runs, and is not in the registry", advice: "Stop it first", command };
  }
  const rest = { run: undefined };
  if (isProfileName(name) && readNewerCopy(place.home, place.owner)?.has(name) === true) {
    const fact = "the registry was put back to an older one, and its last good copy names it";
    return { ...rest, fact, advice: "Restore the last good copy", command: restoreCommand(place.home) };
  }
  if (isEmpty(folder)) {
    return { ...rest, fact: "it is empty", advice: "Remove it", command: shellCommand("rmdir", folder) };
  }
  const fact = "it is not in the registry; nothing here made it, or the registry was put back to an older one";
  const advice = "Keep what is in it elsewhere, then run it again";
  return { ...rest, fact, advice, command: shellCommand("mv", folder, `${folder}.kept`) };
}

/** What cannot be looked at counts as full. */
function isEmpty(folder: string): boolean {
  try {
    return lstatSync(folder).isDirectory() && readdirSync(folder).length === 0;
  } catch {
    return false;
  }
}
