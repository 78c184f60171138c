/**
 * Units of service managers that start gateways, read from their files alone: no service manager is asked and nothing
 * is changed. systemd user and system units with their drop-ins; launchd property lists in XML (untested on macOS).
 */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { readCommandEnvironment } from "./command-environment.ts";
import { entriesOf } from "../directory-entries.ts";
import { parseLaunchdPlist, parseSystemdUnit } from "./unit-files.ts";
import type { UnitText } from "./unit-files.ts";

/** The managers that start units: systemd of the user or of the host, or launchd. */
export type ServiceManager = "systemd-user" | "systemd" | "launchd";

/** What one unit starts, and as which user. */
export interface ServiceUnit extends UnitText {
  readonly manager: ServiceManager;
  /** `dev.service`, `com.example.dev`. */
  readonly name: string;
  readonly path: string;
}

/** A folder in which a service manager looks for units. */
export interface UnitDirectory {
  readonly manager: ServiceManager;
  readonly path: string;
}

/** Where to look for units. */
export interface UnitPlaces {
  readonly unitDirectories: readonly UnitDirectory[];
  /** What is in them, for one look that asks several times. @default they are read */
  readonly units?: readonly ServiceUnit[];
}

/** A profile of ours that a unit runs. */
export interface UnitProfile {
  readonly name: string;
  /** The home that the unit names; null for the usual one. */
  readonly home: string | null;
}

/** More than any host has, so that a planted directory cannot delay us. */
const LIMITS = { unitsPerDirectory: 2_000, unitBytes: 64 * 1_024 };

/**
 * Returns the units that start a gateway. Unreadable ones are skipped.
 *
 * @param starts whether an argv starts a gateway that we look for. @default those that run a profile of Lockkeeper
 */
export function readGatewayUnits(
  { unitDirectories, units = readUnits(unitDirectories) }: UnitPlaces,
  starts: (argv: readonly string[]) => boolean = runsProfile,
): readonly ServiceUnit[] {
  return units.filter(({ argv }) => starts(argv));
}

/** Returns every unit in `directories` that starts something. Unreadable ones are skipped. */
export function readUnits(directories: readonly UnitDirectory[]): readonly ServiceUnit[] {
  return directories.flatMap((directory) => unitFiles(directory).flatMap((file) => readUnit(directory, file) ?? []));
}

/** Returns the profile that the unit runs with `lockkeeper run <name>`, or undefined. */
export function unitProfile({ argv, environment }: Pick<ServiceUnit, "argv" | "environment">): UnitProfile | undefined {
  const verb = argv.indexOf("run");
  if (verb < 1 || !argv.slice(0, verb).some(isLockkeeper)) return undefined;
  const name = argv.slice(verb + 1).find((argument) => !argument.startsWith("-"));
  return name === undefined ? undefined : { name, home: environment["LOCKKEEPER_HOME"] ?? null };
}

/**
 * Returns whether the unit starts by itself. Source: systemd.unit(5): an enabled unit has a link in a `.wants` or
 * `.requires` directory. An agent of launchd is loaded at login unless told otherwise, which its files do not show.
 */
export function isEnabled({ manager, name }: ServiceUnit, directories: readonly UnitDirectory[]): boolean {
  if (manager === "launchd") return true;
  const places = directories.filter((each) => each.manager === manager);
  return places.some(({ path: directory }) =>
    entriesOf(directory)
      .filter((entry) => /\.(?:wants|requires)$/.test(entry))
      .some((entry) => entriesOf(path.join(directory, entry)).includes(name)),
  );
}

function unitFiles({ manager, path: directory }: UnitDirectory): readonly string[] {
  const ending = manager === "launchd" ? ".plist" : ".service";
  return entriesOf(directory)
    .filter((entry) => entry.endsWith(ending))
    .slice(0, LIMITS.unitsPerDirectory);
}

function readUnit({ manager, path: directory }: UnitDirectory, file: string): ServiceUnit | undefined {
  const text = readUnitFile(path.join(directory, file));
  if (text === undefined) return undefined;
  const name = manager === "launchd" ? file.slice(0, -".plist".length) : file;
  const parsed: UnitText | undefined =
    manager === "launchd" ? parseLaunchdPlist(text) : parseSystemdUnit([text, ...dropIns(directory, file)]);
  if (parsed === undefined) return undefined;
  const { environment, user } = readCommandEnvironment(parsed.argv);
  return {
    manager,
    name,
    path: path.join(directory, file),
    ...parsed,
    user: user ?? parsed.user,
    environment: { ...parsed.environment, ...environment },
  };
}

/** Source: systemd.unit(5): `<unit>.d/*.conf`, read in the order of their names after the unit itself. */
function dropIns(directory: string, file: string): readonly string[] {
  const folder = path.join(directory, `${file}.d`);
  const texts = entriesOf(folder)
    .filter((entry) => entry.endsWith(".conf"))
    .map((entry) => readUnitFile(path.join(folder, entry)));
  return texts.filter((text) => text !== undefined);
}

function runsProfile(argv: readonly string[]): boolean {
  return argv.some(isLockkeeper) && argv.includes("run");
}

/** Judged by the file name alone: a folder on the way to another program may have this name too. */
function isLockkeeper(argument: string): boolean {
  return argument.includes("lockkeeper") && /^lockkeeper(?:\.[a-z]+)*$/.test(path.basename(argument));
}

/** Units are often links (`systemctl link`), so links are followed; anything but a small plain file is passed over. */
function readUnitFile(file: string): string | undefined {
  try {
    const stats = statSync(file);
    return stats.isFile() && stats.size <= LIMITS.unitBytes ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
