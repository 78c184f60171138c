/** What may be asked for at `create`, with every default, and the check that comes before anything is touched. */
import { DEFAULT_HOST, LockkeeperError } from "@lockkeeper/core";
import type { GatewayKind } from "../kinds/gateway-kind.ts";
import { formatHealthCheck } from "../kinds/health-check.ts";
import { isKindName, kinds } from "../kinds/kinds.ts";
import type { KindName, Manifest } from "../manifest.ts";
import { highestPort, parsePort } from "../port-number.ts";
import { parseProfileName, type ProfileName } from "../profile-name.ts";
import { checkProfileOptions, type OptionFields, type ProfileOptions } from "./profile-options.ts";

/** What may be said of a new profile; only its name must be. */
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
  /** Further ports with a name, as distances from the base. */
  readonly extraPorts?: Readonly<Record<string, number>> | undefined;
}

/** A request that can be carried out, defaults filled in. */
export interface CheckedOptions {
  readonly name: ProfileName;
  readonly kind: KindName;
  readonly host: string;
  readonly port: number | undefined;
  readonly span: number;
  /** Every named port as a distance from the base; `gateway` is 0. */
  readonly offsets: Readonly<Record<string, number>>;
  /** What was asked for, and the kind's health check. */
  readonly fields: OptionFields & Pick<Manifest, "health" | "protected">;
}

const portLabel = /^[a-z][a-z0-9-]{0,31}$/;
/** An address, or a name; not one with a port behind it. */
const hostText = /^(?![^:]*:\d+$)[A-Za-z0-9._:%-]+$/;

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
  const host = options.host ?? DEFAULT_HOST;
  if (!hostText.test(host)) throw invalid("host", host, "Give one address or name, without brackets or port.");
  const port = options.port === undefined ? undefined : parsePort(options.port);
  const span = checkSpan(options.span ?? kind.span, kind, port);
  return {
    name,
    kind: kindName,
    host,
    port,
    span,
    offsets: { gateway: 0, ...derivedOffsets(kind), ...checkExtraPorts(options.extraPorts ?? {}, kind, span) },
    fields: {
      health: formatHealthCheck(kind.health),
      protected: false,
      ...checkProfileOptions(name, kindName, options),
    },
  };
}

function checkSpan(span: number, kind: GatewayKind, port: number | undefined): number {
  const least = 1 + Math.max(0, ...kind.derived.map((range) => range.last));
  if (!Number.isInteger(span) || span < least || span > highestPort) {
    throw invalid(
      "span",
      span,
      `A ${kind.name} gateway takes a whole number of ports, from ${least} to ${highestPort}.`,
    );
  }
  if (port !== undefined && port + span - 1 > highestPort) {
    const last = port + span - 1;
    throw new LockkeeperError("PORT_INVALID", `the block ${port}-${last} ends above ${highestPort}`, {
      hint: `With ${span} ports the highest base is ${highestPort - span + 1}.`,
    });
  }
  return span;
}

function derivedOffsets(kind: GatewayKind): Record<string, number> {
  return Object.fromEntries(kind.derived.map((range) => [range.name, range.first]));
}

function checkExtraPorts(
  extra: Readonly<Record<string, number>>,
  kind: GatewayKind,
  span: number,
): Readonly<Record<string, number>> {
  for (const [label, offset] of Object.entries(extra)) {
    const taken = label === "gateway" || kind.derived.some((range) => range.name === label);
    if (taken || !portLabel.test(label)) throw invalid("extra port", label, "Give it a name of its own: metrics=+1.");
    if (!Number.isInteger(offset) || offset < 1 || offset >= span) {
      throw invalid(`extra port ${label}`, offset, `It is a distance from the base, from +1 to +${span - 1}.`);
    }
  }
  return extra;
}

function invalid(what: string, value: unknown, hint: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `not a valid ${what}: ${JSON.stringify(value)}`, { hint });
}
