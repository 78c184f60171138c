/**
 * As whom a unit runs, where that user is at home, and which variables its process gets, as far as files tell. A unit of
 * another user or home starts another gateway than one's own, however it is called.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { readAssignments } from "./environment-file.ts";
import type { ServiceUnit } from "./service-units.ts";

/** Returns what `~` and `%h` mean to the unit's process, `HOME` of its own variables aside. `userHome`: that of our user. */
export function unitHome({ manager, user }: ServiceUnit, userHome: string): string {
  // Source: systemd.exec(5): a unit of the system manager without User= runs as root.
  const account = user ?? (manager === "systemd" ? "root" : null);
  return account === null ? userHome : (homeOf(account) ?? `/home/${account}`);
}

/** Returns the unit's variables: those in the unit, and over them those in the files that it names and we can read. */
export function unitEnvironment(unit: ServiceUnit, userHome: string): Readonly<Record<string, string>> {
  const home = unitHome(unit, userHome);
  const files = unit.environmentFiles.map((file) => readAssignments(expandHome(file.replace(/^-/, ""), home)));
  const own = Object.entries(unit.environment).map(([name, value]) => [name, value.replaceAll("%h", home)] as const);
  return Object.assign({}, Object.fromEntries(own), ...files) as Record<string, string>;
}

/** Returns the files of variables that the unit names, as absolute paths. */
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

/** Source: passwd(5). Users of other directories than the host's own file are not known here. */
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
