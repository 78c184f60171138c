/** The options of `create` with their defaults, and their check before anything is touched. */
import { DEFAULT_HOST, LockkeeperError } from "@lockkeeper/core";
import { usualHealthCheck } from "../kinds/health-check.ts";
import { isKindName, kinds } from "../kinds/kinds.ts";
import type { KindName, Manifest } from "../manifest.ts";
import { parsePort } from "../port-number.ts";
import { parseProfileName } from "../profile-name.ts";
import type { ProfileName } from "../profile-name.ts";
import { checkExtraPorts, checkHost, checkSpan, derivedOffsets } from "./block-options.ts";
import { checkProfileOptions } from "./profile-options.ts";
import type { OptionFields, ProfileOptions } from "./profile-options.ts";

/** The options of a new profile; only its name is required. */
export interface CreateOptions extends ProfileOptions {
  readonly name: string;
  /** @default "command" when there is an argv, else "builtin" */
  readonly kind?: string | undefined;
  /** Base of the block. @default the lowest free block of the pool */
  readonly port?: number | string | undefined;
  /** Ports in the block, the base included. @default by kind */
  readonly span?: number | undefined;
  /** The one address to listen on. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** Extra named ports, as distances from the base. */
  readonly extraPorts?: Readonly<Record<string, number>> | undefined;
}

/** A valid request with all defaults. */
export interface CheckedOptions {
  readonly name: ProfileName;
  readonly kind: KindName;
  readonly host: string;
  readonly port: number | undefined;
  readonly span: number;
  /** Every named port as a distance from the base; `gateway` is 0. */
  readonly offsets: Readonly<Record<string, number>>;
  /** The requested options, and the kind's health check. */
  readonly fields: OptionFields & Pick<Manifest, "health" | "protected">;
}

/**
 * Returns the request with every default filled in.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID, PORT_INVALID, OPTION_INVALID, each naming the value.
 */
export function checkCreateOptions(options: CreateOptions): CheckedOptions {
  const name = parseProfileName(options.name);
  const argv = options.argv ?? [];
  const kindName = options.kind ?? (argv.length > 0 ? "command" : "builtin");
  if (!isKindName(kindName)) {
    throw invalid("kind", kindName, `Known kinds: ${Object.keys(kinds).join(", ")}.`);
  }
  const kind = kinds[kindName];
  const host = checkHost(options.host ?? DEFAULT_HOST);
  const port = options.port === undefined ? undefined : parsePort(options.port);
  const span = checkSpan(options.span ?? kind.span, kind, port);
  const fields = checkProfileOptions(name, kindName, options);
  return {
    name,
    kind: kindName,
    host,
    port,
    span,
    offsets: { gateway: 0, ...derivedOffsets(kind), ...checkExtraPorts(options.extraPorts ?? {}, kind, span) },
    fields: { health: usualHealthCheck(kindName, fields.scheme), protected: false, ...fields },
  };
}

function invalid(what: string, value: unknown, hint: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `not a valid ${what}: ${JSON.stringify(value)}`, { hint });
}
