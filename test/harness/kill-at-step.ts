/** Where the preload is that kills a program at a step of its work; what it does stands in the file itself. */
import { fileURLToPath } from "node:url";

export const KILL_AT_STEP: string = fileURLToPath(new URL("kill-at-step.cjs", import.meta.url));
