/** The home folder of the user of this process, where other programs keep their files. */
import { homedir } from "node:os";

/**
 * Returns the home folder. A user id of a container often has none on record and no HOME; then it is `/`, as container engines
 * set it, where none of the files that we look for are.
 */
export function ownHome(): string {
  try {
    return homedir();
  } catch {
    return "/";
  }
}
