/**
 * `pnpm release --dry-run` makes the tarballs of a release and says what would be published; `pnpm release` publishes them
 * too, in the order in which they need each other. It refuses a tree with changes, versions that differ, a version that
 * CHANGELOG.md does not name, and a tarball that npm could not install or that lacks a file.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { faultOf } from "./check-tarball.js";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const PACKAGES = ["core", "profiles", "cli"];
const dryRun = process.argv.includes("--dry-run");
const unknown = process.argv.slice(2).filter((argument) => argument !== "--dry-run");
const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-release-"));

function readJson(...parts) {
  return JSON.parse(readFileSync(path.join(root, ...parts), "utf8"));
}

function refuse(reason) {
  process.stderr.write(`release: ${reason}\n`);
  process.exitCode = 1;
  return false;
}

/** The one version of all three packages, or undefined where a release is not possible now. */
function releasable() {
  if (unknown.length > 0) return refuse(`not an option: ${unknown[0]}; it takes --dry-run alone`);
  const versions = PACKAGES.map((name) => readJson("packages", name, "package.json").version);
  const [version] = versions;
  if (versions.some((other) => other !== version))
    return refuse(`the packages' versions differ: ${versions.join(", ")}`);
  const changes = execFileSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" });
  if (changes !== "" && !dryRun) return refuse(`the tree has changes that are not committed:\n${changes}`);
  const log = readFileSync(path.join(root, "CHANGELOG.md"), "utf8");
  if (!log.includes(`\n## ${version}\n`)) return refuse(`CHANGELOG.md has no section "## ${version}"`);
  return version;
}

/** Packs one package; returns the tarball's path, or false with the reason told. */
function pack(name) {
  const destination = path.join(scratch, name);
  const pnpm = process.env.npm_execpath;
  if (pnpm === undefined) return refuse("run it as: pnpm release --dry-run");
  const [command, ...first] = /\.[cm]?js$/.test(pnpm) ? [process.execPath, pnpm] : [pnpm];
  execFileSync(command, [...first, "pack", "--pack-destination", destination], {
    cwd: path.join(root, "packages", name),
    stdio: ["ignore", "ignore", "inherit"],
  });
  const tarball = path.join(destination, readdirSync(destination)[0]);
  const fault = faultOf(tarball);
  return fault === undefined ? tarball : refuse(`${path.basename(tarball)}: ${fault}`);
}

try {
  const version = releasable();
  if (version !== false) {
    execFileSync(process.execPath, ["scripts/build.js"], { cwd: root, stdio: "inherit" });
    const tarballs = PACKAGES.map(pack);
    if (!tarballs.includes(false)) {
      for (const tarball of tarballs) {
        const size = Math.round(readFileSync(tarball).length / 1024);
        process.stdout.write(`${path.basename(tarball)} (${size} KiB): npm can install it\n`);
        if (dryRun) continue;
        const { status } = spawnSync("npm", ["publish", tarball, "--access", "public"], { stdio: "inherit" });
        if (status !== 0) {
          refuse(`npm publish ended with ${status}; what was published before it stays`);
          break;
        }
      }
      if (dryRun) process.stdout.write(`${version}: nothing was published (--dry-run)\n`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
