/** Whether a profile's gateway keeps its own directories, which we did not make. Pure and cheap: `list` asks it for all. */
import type { Manifest } from "../manifest.ts";

/** Returns whether the profile was adopted in place. */
export function isAdopted({ kind, paths }: Manifest): boolean {
  return kind === "openclaw" && !paths.state.startsWith(paths.profile);
}
