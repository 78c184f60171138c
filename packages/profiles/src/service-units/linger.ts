/** Says whether a user's own manager runs without a session of that user. Source: loginctl(1), logind's own files. */
import { existsSync } from "node:fs";
import path from "node:path";
import { userName } from "./user-name.ts";

/** Returns whether this user lingers. */
export function lingers(): boolean {
  return existsSync(path.join("/var/lib/systemd/linger", userName()));
}
