/** What every operation on profiles needs: the home, and the programs to start. */
import type { FileOwner } from "@lockkeeper/core/internal";
import { fileURLToPath } from "node:url";

/** Absolute paths of the programs that run as processes of their own. The sentinel of a lease lies beside the keeper. */
export interface Programs {
  readonly keeper: string;
  readonly gateway: string;
  /** The command that starts the command line, for units of service managers: the runtime and the entry, both absolute. */
  readonly launcher?: readonly [string, ...string[]] | undefined;
}

/** One home, seen by one caller. */
export interface ProfilesContext {
  /** The one root of everything on disk, absolute. */
  readonly home: string;
  readonly programs: Programs;
  /** The environment of the caller: selection, and what a profile passes on to its gateway. */
  readonly env: NodeJS.ProcessEnv;
  /** `any`: the home is in a place that others control; its content is shown but never acted on. @default "own" */
  readonly owner?: FileOwner | undefined;
}

/** The part that reading needs. */
export type HomePlace = Pick<ProfilesContext, "home" | "owner">;

/** Returns the programs that come with this package; a bundle that inlines the package has its own. */
export function ownPrograms(): Programs {
  return {
    keeper: fileURLToPath(new URL("./programs/keeper.js", import.meta.url)),
    gateway: fileURLToPath(new URL("./programs/gateway.js", import.meta.url)),
  };
}
