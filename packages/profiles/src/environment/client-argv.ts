/**
 * Makes a client of a profile's gateway use the profile's own program, which may be another version than the one on the PATH.
 * Pure.
 */
import type { Argv } from "../gateway-kind.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";

/** Returns `argv` with its program replaced by that of the profile, when it is called by that program's name. */
export function clientArgv(manifest: Manifest, [name, ...rest]: Argv): Argv {
  const [program = name, ...first] = kinds[manifest.kind].clientProgram?.(manifest, name) ?? [];
  return [program, ...first, ...rest];
}
