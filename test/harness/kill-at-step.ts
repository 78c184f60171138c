/** The path of the preload that kills a program at a given step; the file itself describes it. */
import { fileURLToPath } from "node:url";

export const KILL_AT_STEP: string = fileURLToPath(new URL("kill-at-step.cjs", import.meta.url));
