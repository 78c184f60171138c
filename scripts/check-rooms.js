/**
 * Holds the code to the order of rooms in ARCHITECTURE.md: inside a package an import, of a type too, goes only to a room that
 * the page lists earlier. A room is a folder of `src` or a file beside them. Fails on a room that the page does not
 * list, on a listed one that does not exist, on an arrow that goes the other way, and on a way around the one door of a room
 * that has one.
 */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The tree to check: the argument, or the one that this file lies in. */
const root = process.argv[2] ?? path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const PACKAGES = ["core", "profiles", "cli"];

/** Rooms with one door and one visitor: a program's folder is known to the list of kinds alone. */
const ONE_DOOR = { profiles: { openclaw: { door: "openclaw/openclaw.ts", visitor: "kinds/kinds.ts" } } };

/** The rooms of each package in the order of the page: the names in the first column of the tables of its section. */
function listedRooms(page) {
  const listed = Object.fromEntries(PACKAGES.map((name) => [name, []]));
  let current;
  for (const line of page.split("\n")) {
    const section = /^### `packages\/(\w+)`/.exec(line);
    if (section !== null) current = listed[section[1]];
    else if (line.startsWith("## ")) current = undefined;
    const column = /^\|([^|]+)\|/.exec(line)?.[1];
    if (current !== undefined && column !== undefined) {
      for (const [, name] of column.matchAll(/`([\w.-]+)\/?`/g)) current.push(name);
    }
  }
  return listed;
}

/** Every import of `source` that stays in its package: the importing file, the imported file, both from `src`. */
function* importsIn(source) {
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const file = path.join(entry.parentPath, entry.name);
    const text = readFileSync(file, "utf8");
    for (const [, target] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      yield [path.relative(source, file), path.relative(source, path.join(entry.parentPath, target))];
    }
  }
}

const roomOf = (file) => file.split(path.sep)[0];
const faults = [];
const listed = listedRooms(readFileSync(path.join(root, "ARCHITECTURE.md"), "utf8"));
for (const name of PACKAGES) {
  const source = path.join(root, "packages", name, "src");
  const order = new Map(listed[name].map((room, place) => [room, place]));
  const present = readdirSync(source);
  const doors = new Set(["index.ts", "internal.ts"]);
  for (const room of present) {
    if (!order.has(room) && !doors.has(room)) faults.push(`${name}: ARCHITECTURE.md does not list ${room}`);
  }
  for (const room of order.keys()) {
    if (!present.includes(room)) faults.push(`${name}: ARCHITECTURE.md lists ${room}, which does not exist`);
  }
  for (const [from, to] of importsIn(source)) {
    const [above, below] = [roomOf(from), roomOf(to)];
    if (above === below || doors.has(above)) continue;
    const only = ONE_DOOR[name]?.[below];
    if (
      only !== undefined &&
      (to.split(path.sep).join("/") !== only.door || from.split(path.sep).join("/") !== only.visitor)
    ) {
      faults.push(
        `${name}: ${from} imports ${to}, but only ${only.visitor} imports from ${below}/, and only ${only.door}`,
      );
    }
    if ((order.get(below) ?? Infinity) >= (order.get(above) ?? -1)) {
      faults.push(`${name}: ${from} imports ${to}, but ${below} is not listed above ${above}`);
    }
  }
}
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
