/** The name that an imported gateway gets, and the hint when that name is not possible. Changes nothing. */
import { LockkeeperError } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { adoptCommand, freeNameFor, nameFor } from "../discover/adopt-command.ts";
import type { AskedImport } from "../discover/adopt-command.ts";
import type { Installation } from "../foreign-program.ts";
import type { GatewayKind } from "../gateway-kind.ts";
import type { ProfileName } from "../profile-name.ts";
import { isFreeName } from "../life/refuse-existing.ts";
import { readRegistry } from "../registry/registry.ts";
import type { Registry } from "../registry/registry.ts";

/** The options of an import that its hint repeats or mentions. */
interface AskedName extends Omit<AskedImport, "kind" | "name"> {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly passEnv?: readonly string[] | undefined;
  readonly argv?: readonly string[] | undefined;
}

/**
 * Returns the name that was asked for, or the one that follows from the program's own.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID
 */
export function nameHere(
  { home }: ProfilesContext,
  kind: GatewayKind,
  installation: Installation,
  options: AskedName,
): ProfileName {
  try {
    return nameFor(options.as ?? installation.name, kind);
  } catch (error) {
    if (options.as !== undefined || !(error instanceof LockkeeperError)) throw error;
    const hint = underAnotherName(home, readRegistry(home), kind, installation, options);
    throw new LockkeeperError(error.code, error.message, { hint });
  }
}

/** Returns the hint for a name that is taken or invalid. It is a whole command, unless that would repeat the values of variables. */
export function underAnotherName(
  home: string,
  registry: Registry,
  kind: GatewayKind,
  { name }: Installation,
  options: AskedName,
): string {
  const { env = {}, passEnv = [], argv } = options;
  const as = freeNameFor({ kind, name, as: options.as }, (free) => isFreeName(home, registry, free));
  if (Object.keys(env).length + passEnv.length > 0 || argv !== undefined) {
    return `Give it another name in the same command: --as ${as}`;
  }
  return `Give it another name: ${adoptCommand({ ...options, kind, name }, as)}`;
}
