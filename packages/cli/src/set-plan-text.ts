/** Renders the plan of a file of profiles, and finds the file from the command line. Pure except for `setRequest`. */
import path from "node:path";
import { shellCommand } from "@lockkeeper/core/internal";
import type { SetPlan, SetRequest } from "@lockkeeper/profiles";
import type { World } from "./context.ts";
import { renderChange } from "./edit-difference.ts";
import { plainLine } from "./terminal/plain-text.ts";
import type { View } from "./terminal/view.ts";

/** Returns the file that is named, or the one of the working directory. */
export function setRequest(
  world: World,
  given: { readonly file: string | undefined; readonly prefix: string | undefined },
): SetRequest {
  return { file: path.resolve(world.cwd(), given.file ?? "lockkeeper.json"), prefix: given.prefix };
}

/** Returns the words of a command line that name the file. */
export function fileWords({ file, prefix }: SetRequest): readonly string[] {
  return ["-f", file, ...(prefix === undefined || prefix === "" ? [] : ["--prefix", prefix])];
}

/** Returns a block for each profile with its differences, or one sentence when there is none. */
export function renderSetPlan({ file, changes }: SetPlan, view: View): string {
  const { paint, quiet } = view;
  if (quiet) return changes.map(({ profile, action }) => `${action} ${profile}\n`).join("");
  if (changes.length === 0) return `nothing to change: everything is as ${plainLine(file)} says\n`;
  return changes
    .map(({ profile, action, fields }) => {
      const mark =
        action === "create" ? paint.green("+ create") : action === "edit" ? "~ edit" : paint.yellow("! restart");
      const width = Math.max(0, ...fields.map(({ field }) => field.length));
      return `${mark} ${paint.bold(profile)}\n${fields.map((change) => renderChange(change, width, view)).join("")}`;
    })
    .join("");
}

/** Returns the requests that are left undone, and further notes. */
export function setNotes({ left, claims, unmanaged, warnings }: SetPlan): readonly string[] {
  return [
    ...warnings.map((warning) => plainLine(`warning: ${warning}`)),
    ...left.map(({ profile, reason, hint }) => plainLine(`${profile}: ${reason}${hint === null ? "" : ` (${hint})`}`)),
    ...(claims.length === 0 ? [] : [`As it should be, and from then on of this file: ${claims.join(", ")}`]),
    ...(unmanaged.length === 0
      ? []
      : [`Not in this file, and left alone: ${unmanaged.join(", ")} (${shellCommand("lockkeeper", "list")})`]),
  ];
}
