/**
 * Holds what we depend on to four rules, offline: every version is exact, every tarball has a checksum in the lock file, no
 * package runs code at its installation, and every licence is one that we may ship. Every package that the command line
 * bundles stands in its third-party notices (`--write` writes them). Under CI, or with `--advisories`, known advisories are
 * asked for too. That they could not be asked is said; it fails only who asked for them by name (exit 2).
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const store = path.join(root, "node_modules/.pnpm");
const notices = path.join(root, "packages/cli/THIRD-PARTY-NOTICES.md");
const allowed = new Set(
  "0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause BlueOak-1.0.0 CC0-1.0 ISC MIT MPL-2.0 Python-2.0 Unlicense".split(" "),
);
/** What runs at an installation, by npm's and pnpm's rules. */
const HOOKS = ["preinstall", "install", "postinstall"];
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));
const faults = [];

function checkPins() {
  const own = [".", "test", ...readdirSync(path.join(root, "packages")).map((name) => `packages/${name}`)];
  for (const folder of own) {
    const manifest = readJson(path.join(root, folder, "package.json"));
    for (const field of ["dependencies", "devDependencies", "optionalDependencies"]) {
      for (const [name, version] of Object.entries(manifest[field] ?? {})) {
        const isExact = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version) || version === "workspace:*";
        if (!isExact) faults.push(`${folder}/package.json: ${name} is not one exact version: ${version}`);
      }
    }
  }
  const lock = readFileSync(path.join(root, "pnpm-lock.yaml"), "utf8");
  const entries = lock
    .slice(lock.indexOf("\npackages:"), lock.indexOf("\nsnapshots:"))
    .split(/\n {2}(?=\S)/)
    .slice(1);
  for (const entry of entries) {
    if (!/integrity: sha512-/.test(entry)) faults.push(`pnpm-lock.yaml: no checksum: ${entry.split("\n")[0]}`);
  }
}

/** Every installed package, by `name@version`. */
function installed() {
  const found = new Map();
  for (const place of readdirSync(store)) {
    const modules = path.join(store, place, "node_modules");
    if (!existsSync(modules)) continue;
    for (const name of readdirSync(modules).flatMap((each) =>
      each.startsWith("@") ? readdirSync(path.join(modules, each)).map((inner) => `${each}/${inner}`) : [each],
    )) {
      const folder = path.join(modules, name);
      const file = path.join(folder, "package.json");
      if (!existsSync(file)) continue;
      const manifest = readJson(file);
      if (manifest.name !== undefined) found.set(`${manifest.name}@${manifest.version}`, { manifest, folder });
    }
  }
  return found;
}

function checkPackages(packages) {
  for (const [id, { manifest }] of packages) {
    const licence = typeof manifest.license === "string" ? manifest.license : "none";
    const words = licence.replaceAll(/[()]/g, "").split(/ (?:AND|OR) /);
    if (!words.every((word) => allowed.has(word))) faults.push(`${id}: licence ${licence}`);
    const running = HOOKS.filter((hook) => manifest.scripts?.[hook] !== undefined);
    if (running.length > 0) faults.push(`${id}: runs code at its installation: ${running.join(", ")}`);
  }
}

/** What the bundles hold of others, told by the bundler's own list of sources; empty before a build. */
function bundled(packages) {
  const dist = path.join(root, "packages/cli/dist");
  const places = new Set();
  const maps = existsSync(dist) ? readdirSync(dist, { recursive: true }).filter((file) => file.endsWith(".map")) : [];
  for (const file of maps) {
    for (const source of readJson(path.join(dist, file)).sources ?? []) {
      const match = /node_modules\/\.pnpm\/[^/]+\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source);
      if (match !== null) places.add(match[1]);
    }
  }
  return [...packages.values()].filter(({ manifest }) => places.has(manifest.name));
}

function checkNotices(packages) {
  const inside = bundled(packages).toSorted((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1));
  if (inside.length === 0) return void process.stdout.write("third-party notices: not checked before a build\n");
  const parts = inside.map(({ manifest, folder }) => {
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    // Git keeps line ends of one kind.
    const text =
      file === undefined
        ? `Licence: ${manifest.license}`
        : readFileSync(path.join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
    return `## ${manifest.name} ${manifest.version}\n\n${text.replaceAll(/^/gm, "    ").replaceAll(/ +$/gm, "")}\n`;
  });
  const text = `# Third-party notices\n\nThe programs in this package contain parts of the following packages.\n\n${parts.join("\n")}`;
  if (process.argv.includes("--write")) writeFileSync(notices, text);
  else if (!existsSync(notices) || readFileSync(notices, "utf8") !== text) {
    faults.push(
      "packages/cli/THIRD-PARTY-NOTICES.md is not what is bundled: node scripts/check-dependencies.js --write",
    );
  }
}

/** What is known against our dependencies, one line each; or why that could not be asked. */
function askAdvisories() {
  const pnpm = process.env.npm_execpath;
  const isPnpm = pnpm !== undefined && pnpm.includes("pnpm");
  const [program, ...first] = !isPnpm ? ["pnpm"] : /\.[cm]?js$/.test(pnpm) ? [process.execPath, pnpm] : [pnpm];
  const { stdout, stderr, error } = spawnSync(program, [...first, "audit", "--json"], {
    cwd: root,
    encoding: "utf8",
    timeout: 30_000,
  });
  if (error !== undefined) return { reason: error.code === "ENOENT" ? "pnpm is not installed" : String(error.code) };
  let answer;
  try {
    answer = JSON.parse(stdout);
  } catch {
    const words = (stdout + stderr).replaceAll(/[\s│×]+/g, " ").trim();
    return { reason: words.slice(0, 200) || "no answer" };
  }
  if (answer.advisories === undefined) return { reason: answer.error?.message ?? "an answer without advisories" };
  return {
    known: Object.values(answer.advisories).map(
      ({ module_name: name, severity, title, url }) => `${name}: ${severity}: ${title} (${url})`,
    ),
  };
}

/** Asked for by itself, silence is no good news: then the exit status is 2. */
function checkAdvisories() {
  const isAsked = process.argv.includes("--advisories");
  if (!process.env.CI && !isAsked) return;
  const { known, reason } = askAdvisories();
  if (known === undefined) {
    process.stdout.write(`advisories: could not be asked: ${reason}\n`);
    if (isAsked) process.exitCode = 2;
    return;
  }
  process.stdout.write(`advisories: ${known.length === 0 ? "none" : known.length} known\n`);
  faults.push(...known);
}

checkPins();
const packages = installed();
checkPackages(packages);
checkNotices(packages);
checkAdvisories();
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length > 0) process.exitCode = 1;
