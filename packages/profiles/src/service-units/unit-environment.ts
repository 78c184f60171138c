/**
 * The user of a unit, that user's home, and the variables of its process, as far as files say. A unit of another user or home
 * starts a gateway that is not ours, whatever its name is.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { readCommandEnvironment } from "./command-environment.ts";
import { readAssignments } from "./environment-file.ts";
import type { ServiceUnit } from "./service-units.ts";

/**
 * Returns what `~` and `%h` mean to the unit's process, without regard to `HOME` in its own variables. `userHome`: our user's
 * home.
 */
export function unitHome({ manager, user }: ServiceUnit, userHome: string): string {
  // Source: systemd.exec(5): a unit of the system manager without User= runs as root.
  const account = user ?? (manager === "systemd" ? "root" : null);
  return account === null ? userHome : (homeOf(account) ?? `/home/${account}`);
}

/**
 * Returns the unit's variables: of the unit itself, of its readable environment files, and of its command line. A later one
 * wins.
 */
export function unitEnvironment(unit: ServiceUnit, userHome: string): Readonly<Record<string, string>> {
  const home = unitHome(unit, userHome);
  const files = unit.environmentFiles.map((file) => readAssignments(expandHome(file.replace(/^-/, ""), home)));
  const own = Object.entries(unit.environment).map(([name, value]) => [name, value.replaceAll("%h", home)] as const);
  const { environment } = readCommandEnvironment(unit.argv);
  return Object.assign({}, Object.fromEntries(own), ...files, environment) as Record<string, string>;
}

/** Returns the environment files that the unit names, as absolute paths. */
export function unitEnvironmentFiles(unit: ServiceUnit, userHome: string): readonly string[] {
  const home = unitHome(unit, userHome);
  return unit.environmentFiles
    .map((file) => expandHome(file.replace(/^-/, ""), home))
    .filter((file) => path.isAbsolute(file));
}

/** Returns `text` with a leading `~` and systemd's `%h` as `home`. Pure. */
export function expandHome(text: string, home: string): string {
  return text.replace(/^~(?=\/|$)/, home).replaceAll("%h", home);
}

/** Source: passwd(5). Users of a directory service are unknown here. */
function homeOf(account: string): string | undefined {
  try {
    const entries = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"));
    return entries.find(([name, , uid]) => name === account || uid === account)?.[5];
  } catch {
    return undefined;
  }
}
