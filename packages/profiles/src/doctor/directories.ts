/** Directories that two profiles share, or that are missing. */
import { sep } from "node:path";
import { directoriesOf } from "../directories/directory-rules.ts";
import type { OwnedDirectory } from "../directories/directory-rules.ts";
import { readDirectoriesElsewhere } from "../directories/directories-elsewhere.ts";
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
  for (const [outer, inner] of findShared([...ours, ...readDirectoriesElsewhere(home, roots, look)])) {
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
  const byKey = new Map<string, OwnedDirectory[]>();
  for (const directory of directories) {
    const key = `${directory.path}${sep}`;
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [directory]);
    else same.push(directory);
  }
  const pairs = new Map<string, readonly [OwnedDirectory, OwnedDirectory]>();
  const around: { readonly key: string; readonly directory: OwnedDirectory }[] = [];
  // Without a comparison function: V8's own order of strings is faster.
  for (const key of [...byKey.keys()].sort()) {
    while (around.length > 0 && !key.startsWith(around.at(-1)?.key ?? "")) around.pop();
    for (const directory of byKey.get(key) ?? []) {
      for (const { directory: outer } of around) {
        if (outer.owner === directory.owner) continue;
        const pair = [outer.owner, directory.owner].sort().join("\n");
        if (!pairs.has(pair)) pairs.set(pair, [outer, directory]);
      }
      around.push({ key, directory });
    }
  }
  return [...pairs.values()];
}
