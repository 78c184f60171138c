/** The name that an adopted gateway gets here, and the command that adopts it, for hints and lists. Pure. */
import { shellCommand } from "@lockkeeper/core/internal";
import type { GatewayKind } from "../gateway-kind.ts";
import { LONGEST_NAME, freeName, isProfileName, parseProfileName } from "../profile-name.ts";
import type { ProfileName } from "../profile-name.ts";

/** What an `import` of one gateway says. */
export interface AskedImport {
  readonly kind: Pick<GatewayKind, "name">;
  /** As the program calls it. */
  readonly name: string;
  /** Its name here, when it was given. */
  readonly as?: string | undefined;
  readonly stateDir?: string | undefined;
  readonly port?: number | string | undefined;
  readonly envFile?: string | undefined;
  readonly protected?: boolean | undefined;
}

/**
 * Returns the name here for what the program calls `name`; `default` means something else here.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID when it is no valid name even in lower case with hyphens.
 */
export function nameFor(name: string, kind: Pick<GatewayKind, "name">): ProfileName {
  return parseProfileName(usualName(name, kind));
}

/** Returns a free, valid name: the one that is asked for, else a similar one, with a number at its end if needed. */
export function freeNameFor(
  { kind, name, as }: Pick<AskedImport, "kind" | "name" | "as">,
  isFree: (name: ProfileName) => boolean,
): ProfileName {
  const plain = usualName(as ?? name, kind)
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const near = [plain, plain.slice(0, LONGEST_NAME)].find(isProfileName) ?? parseProfileName(kind.name);
  return isFree(near) ? near : freeName(near, isFree);
}

/** Returns the command that adopts a gateway, with every word quoted. `--as` is in it only when the gateway cannot have its usual name. */
export function adoptCommand(asked: AskedImport, as: ProfileName): string {
  const { kind, name, stateDir, port, envFile } = asked;
  return shellCommand(
    "lockkeeper",
    "import",
    kind.name,
    name,
    ...(as === usualName(name, kind) ? [] : ["--as", as]),
    ...(stateDir === undefined ? [] : ["--state-dir", stateDir]),
    ...(port === undefined ? [] : ["--port", String(port)]),
    ...(envFile === undefined ? [] : ["--env-file", envFile]),
    ...(asked.protected === true ? ["--protected"] : []),
  );
}

function usualName(name: string, kind: Pick<GatewayKind, "name">): string {
  return name === "default" ? kind.name : name.toLowerCase().replaceAll("_", "-");
}
