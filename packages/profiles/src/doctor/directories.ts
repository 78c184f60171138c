/** Directories that two profiles share, or that are missing. */
import { sep } from "node:path";
import { directoriesOf } from "../directories/directory-rules.ts";
import type { OwnedDirectory } from "../directories/directory-rules.ts";
import { readOtherHomes } from "../directories/other-homes.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds directories that are missing, or that two profiles share. */
export function checkDirectories({ context: { home }, roots, patients, facts }: Scene): readonly Finding[] {
  const { look } = facts;
  const findings: Finding[] = [];
  for (const { manifest } of patients) {
    const { name, paths } = manifest;
    if (look.exists(paths.state)) continue;
    findings.push({
      weight: "error",
      code: "directory-missing",
      title: `the state directory of ${name} is not there`,
      evidence: [paths.state],
      command: `lockkeeper status ${name}`,
    });
  }
  const ours = patients.flatMap(({ manifest }) => directoriesOf(manifest, home, look));
  for (const [outer, inner] of findShared([...ours, ...readOtherHomes(home, roots, look)])) {
    findings.push({
      weight: "error",
      code: "directory-shared",
      title: `${outer.owner} and ${inner.owner} share a directory`,
      evidence: [`${outer.role}: ${outer.path}`, `${inner.role}: ${inner.path}`],
      command: null,
    });
  }
  return findings;
}

/** Sorted by path, a folder comes before everything in it, so one pass finds the pairs. */
function findShared(directories: readonly OwnedDirectory[]): readonly (readonly [OwnedDirectory, OwnedDirectory])[] {
  const keyed = directories.map((directory) => ({ directory, key: `${directory.path}${sep}` }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  const pairs = new Map<string, readonly [OwnedDirectory, OwnedDirectory]>();
  let around: typeof keyed = [];
  for (const each of keyed) {
    if (around.length > 0) around = around.filter(({ key }) => each.key.startsWith(key));
    for (const { directory } of around) {
      if (directory.owner === each.directory.owner) continue;
      const pair = [directory.owner, each.directory.owner].sort().join("\n");
      if (!pairs.has(pair)) pairs.set(pair, [directory, each.directory]);
    }
    around.push(each);
  }
  return [...pairs.values()];
}
