/** Says what keeps npm from installing a packed package, or a user from using it. `node scripts/check-tarball.js <file>...` */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Returns what is wrong with the tarball, as text; undefined when nothing is. */
export function faultOf(tarball) {
  const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
  const manifest = JSON.parse(execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" }));
  const needs = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
  for (const [dependency, range] of Object.entries(needs)) {
    if (/^(workspace|file|link|catalog|git)/.test(range)) return `npm cannot install ${dependency}@${range}`;
  }
  for (const field of ["repository", "homepage", "keywords", "license", "engines"]) {
    if (manifest[field] === undefined) return `package.json has no ${field}`;
  }
  for (const script of ["preinstall", "install", "postinstall"]) {
    if (manifest.scripts?.[script] !== undefined) return `it would run ${script} on a user's machine`;
  }
  const entries = [
    manifest.exports?.["."]?.default,
    manifest.exports?.["."]?.types,
    ...Object.values(manifest.bin ?? {}),
  ];
  for (const entry of ["LICENSE", "README.md", ...entries.filter((each) => each !== undefined)]) {
    if (!files.includes(path.posix.join("package", entry))) return `it lacks ${entry}`;
  }
  return files.some((file) => /\/(src|test)\//.test(file)) ? "it holds sources or tests" : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const tarball of process.argv.slice(2)) {
    const fault = faultOf(tarball);
    process.stdout.write(`${tarball}: ${fault ?? "npm can install it"}\n`);
    if (fault !== undefined) process.exitCode = 1;
  }
}
