/** The command of the next start and its folder: the one place that turns a manifest into a command. Pure. */
import type { Argv } from "../gateway-kind.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";

/** A command without a shell, placeholders filled in. */
export interface LaunchPlan {
  readonly argv: Argv;
  readonly cwd: string;
}

/**
 * Returns the command of a run with the base port `port`.
 *
 * @throws {LockkeeperError} OPTION_INVALID for an unknown placeholder.
 */
export function launchPlan(manifest: Manifest, gatewayProgram: string, port: number = manifest.port): LaunchPlan {
  return {
    argv: kinds[manifest.kind].launch({ manifest, port, gatewayProgram }),
    cwd: manifest.cwd ?? manifest.paths.workspace,
  };
}
