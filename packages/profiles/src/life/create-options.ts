/** What may be asked for at `create`, with every default, and the check that comes before anything is touched. */
import { DEFAULT_HOST, LockkeeperError } from "@lockkeeper/core";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { GatewayKind } from "../kinds/gateway-kind.ts";
import { formatHealthCheck, parseHealthCheck } from "../kinds/health-check.ts";
import { isKindName, kinds } from "../kinds/kinds.ts";
import type { KindName, Manifest } from "../manifest.ts";
import { highestPort, parsePort } from "../port-number.ts";
import { parseProfileName, type ProfileName } from "../profile-name.ts";

/** What may be said of a new profile; only its name must be. */
export interface CreateOptions {
  readonly name: string;
  /** @default "command" when there is an argv, else "builtin" */
  readonly kind?: string | undefined;
  /** Base of the block. @default the lowest free block of the pool */
  readonly port?: number | string | undefined;
  /** Ports in the block, the base included. @default by kind */
  readonly span?: number | undefined;
  /** The one address to listen on. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** What to run, with placeholders; no shell. For `openclaw`: its program and first arguments. */
  readonly argv?: readonly string[] | undefined;
  /** @default the profile's workspace */
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly passEnv?: readonly string[] | undefined;
  readonly envFile?: string | undefined;
  /** Further ports with a name, as distances from the base. */
  readonly extraPorts?: Readonly<Record<string, number>> | undefined;
  /** `/path`, `tcp` or `none`. @default by kind */
  readonly health?: string | undefined;
  /** @default false */
  readonly protected?: boolean | undefined;
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
  readonly health: string;
  readonly protected: boolean;
  /** What goes into the manifest only when it was given. */
  readonly optional: Pick<Manifest, "command" | "cwd" | "env" | "passEnv" | "envFile">;
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
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
  if (kindName === "builtin" && argv.length > 0) {
    throw invalid("argv", argv[0], "The built-in gateway runs no program of yours: leave --kind away.");
  }
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
    health: formatHealthCheck(options.health === undefined ? kind.health : parseHealthCheck(options.health, kindName)),
    protected: options.protected ?? false,
    optional: {
      ...(argv.length > 0 ? { command: argv } : {}),
      ...(options.cwd === undefined ? {} : { cwd: checkDirectory(options.cwd) }),
      ...(isEmpty(options.env) ? {} : { env: checkEnvironment(options.env ?? {}) }),
      ...(isEmpty(options.passEnv) ? {} : { passEnv: (options.passEnv ?? []).map(checkVariable) }),
      ...(options.envFile === undefined ? {} : { envFile: resolve(options.envFile) }),
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

function checkEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(env)) {
    checkVariable(key);
    if (value.includes("\0")) throw invalid(`env ${key}`, value, "A value cannot hold a zero byte.");
  }
  return env;
}

function checkVariable(name: string): string {
  if (!variableName.test(name)) throw invalid("env", name, "A variable is letters, digits and underscores.");
  return name;
}

function isEmpty(value: object | undefined): boolean {
  return value === undefined || Object.keys(value).length === 0;
}

function checkDirectory(path: string): string {
  const directory = resolve(path);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw invalid("cwd", directory, "Name a directory that exists.");
  }
  return directory;
}

function invalid(what: string, value: unknown, hint: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `not a valid ${what}: ${JSON.stringify(value)}`, { hint });
}
