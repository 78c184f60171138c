/** `export`: profiles as text for engines of containers, or as the file that makes them, on stdout; what the image needs, on stderr. */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand } from "@lockkeeper/core/internal";
import type { ExportResult, Profiles } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { chooseTargets } from "../targets.ts";
import { VERSION } from "../version.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["export"]>;

/** For an engine, or as a set. */
type Exported = Omit<ExportResult, "format"> & { readonly format: ExportResult["format"] | "json" };

/** The text is saved to a file, so it must not be escaped. */
export const exact = true;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const { format, image, containerfile } = given;
  if (format === undefined) {
    throw new LockkeeperError("USAGE", "export: for which engine? --format is missing", {
      hint: shellCommand("lockkeeper", "export", ...given.names, "--format", "compose"),
    });
  }
  const profiles = await context.openProfiles();
  const { names } = await chooseTargets(context, profiles, given);
  const value =
    format === "json"
      ? await exportSet(profiles, names, given)
      : await profiles.exportToEngine(names, { format, image, containerfile, version: VERSION });
  const notes = [...value.needs.map((need) => `needs: ${need}`), ...value.notes.map((note) => `note: ${note}`)];
  return { value, notes };
}

/** The set file that makes the profiles. It is for no engine and needs no image. */
async function exportSet(profiles: Profiles, names: readonly string[], given: Arguments): Promise<Exported> {
  if (given.image !== undefined || given.containerfile) {
    throw new LockkeeperError("USAGE", "export: the format json knows no image", {
      hint: shellCommand("lockkeeper", "export", ...given.names, "--format", "compose"),
    });
  }
  const text = await profiles.exportSet(names);
  return { format: "json", profiles: names, files: [{ name: "lockkeeper.json", text }], needs: [], notes: [] };
}

/** Several files are separated by a comment with their names, which all formats allow. */
export function render({ files }: Exported): string {
  if (files.length === 1) return files[0]?.text ?? "";
  return files.map(({ name, text }) => `# ${name}\n${text}`).join("\n");
}
