/**
 * `pnpm mutate [word]`: changes the pure files one small step at a time (StrykerJS) and counts the changes that a test of the
 * file notices. Every file of test/mutation/rooms.json, or those whose path contains the word; a minute or two for each.
 * A change that survives and is not in test/mutation/survivors.json is shown. An entry there excuses one survivor: that change, on
 * a line with that text. An entry without a survivor is shown too. Below 85 % in one file, excused ones left out, the exit
 * status is 1. One change at a time: two test runs at once would use the same ports, and a test that fails because of that
 * would count as one that noticed. The runner is installed into node_modules/.cache on first use: nothing else needs it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const tools = path.join(root, "node_modules/.cache/mutation");
/** Of this run alone: two may run beside each other. */
const results = path.join(root, `test/build/mutation-${process.pid}`);
/** Per cent of the changes in a file. */
const THRESHOLD = 85;
const VERSION = "9.6.1";
/** TypeScript of a release whose programming interface Stryker knows; the workspace's own has none. */
const packages = [
  `@stryker-mutator/core@${VERSION}`,
  `@stryker-mutator/vitest-runner@${VERSION}`,
  "vitest@4.1.12",
  "typescript@5.9.3",
];

const readJson = (file) => JSON.parse(readFileSync(path.join(root, file), "utf8"));
const rooms = readJson("test/mutation/rooms.json");
const known = readJson("test/mutation/survivors.json");
const word = process.argv[2] ?? "";
const chosen = Object.keys(rooms).filter((file) => file.includes(word));
if (chosen.length === 0) {
  console.error(
    `No file of test/mutation/rooms.json has "${word}" in its path. There are:\n${Object.keys(rooms).join("\n")}`,
  );
  process.exit(2);
}

function run(command, args, env = process.env, output = "inherit") {
  return spawnSync(command, args, { cwd: root, stdio: ["ignore", output, "inherit"], env }).status ?? 1;
}

/** Ends here when `status` is a failure. */
function requireSuccess(status, hint) {
  if (status === 0) return;
  if (hint !== undefined) console.error(hint);
  process.exit(status);
}

const inOneLine = (text) => text.replaceAll(/\s+/g, " ").trim();
const short = (text) => (text.length > 100 ? `${text.slice(0, 99)}…` : text);

/** Returns how many changes there were, how many of them a test noticed, and the others. */
function mutate(file) {
  const config = path.join(results, "stryker.config.json");
  const report = path.join(results, "report.json");
  const base = readJson("test/mutation/stryker.config.json");
  writeFileSync(
    config,
    JSON.stringify({
      ...base,
      mutate: [file],
      tempDirName: path.join(results, "sandbox"),
      jsonReporter: { fileName: report },
    }),
  );
  const stryker = path.join(tools, "node_modules/@stryker-mutator/core/bin/stryker.js");
  const env = { ...process.env, MUTATION_TESTS: rooms[file].join(",") };
  const ended = run(process.execPath, [stryker, "run", config], env, "ignore");
  requireSuccess(ended, `${file}: StrykerJS gave up. Do these pass unchanged? pnpm test ${rooms[file][0]}`);
  const { mutants, source } = JSON.parse(readFileSync(report, "utf8")).files[file];
  const counted = mutants.filter(({ status }) => ["Killed", "Timeout", "Survived", "NoCoverage"].includes(status));
  const survivors = counted.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  const lines = source.split("\n");
  const starts = lines.reduce((all, line) => [...all, (all.at(-1) ?? 0) + line.length + 1], [0]);
  const textOf = ({ start, end }) =>
    inOneLine(source.slice(starts[start.line - 1] + start.column - 1, starts[end.line - 1] + end.column - 1));
  return {
    changes: counted.length,
    killed: counted.length - survivors.length,
    survivors: survivors.map(({ location, replacement }) => ({
      line: location.start.line,
      on: inOneLine(lines[location.start.line - 1]),
      original: textOf(location),
      replacement: inOneLine(replacement),
    })),
  };
}

if (!existsSync(path.join(tools, "node_modules/@stryker-mutator/core"))) {
  mkdirSync(tools, { recursive: true });
  writeFileSync(path.join(tools, "package.json"), '{"private":true}\n');
  requireSuccess(run("npm", ["install", "--prefix", tools, "--no-audit", "--no-fund", "--save-exact", ...packages]));
}
requireSuccess(run(process.execPath, ["scripts/build.js"]));
mkdirSync(results, { recursive: true });
process.on("exit", () => rmSync(results, { recursive: true, force: true }));
process.once("SIGINT", () => process.exit(130));
for (const file of chosen) {
  const { changes, killed, survivors } = mutate(file);
  const entries = known.filter((entry) => file.endsWith(entry.file));
  const unexplained = survivors.filter(({ on, original, replacement }) => {
    const entry = entries.findIndex(
      (each) => each.on === on && each.original === original && each.replacement === replacement,
    );
    if (entry >= 0) entries.splice(entry, 1);
    return entry < 0;
  });
  const score = (100 * killed) / (killed + unexplained.length);
  const excused = survivors.length - unexplained.length;
  console.log(`${score.toFixed(1).padStart(5)} %  ${killed} of ${changes}, ${excused} excused  ${file}`);
  for (const { line, original, replacement } of unexplained) {
    console.log(`         ${file}:${line}  ${short(original)}  →  ${short(replacement)}`);
  }
  for (const { on, original, replacement } of entries) {
    console.log(`         listed, but did not survive: ${short(original)}  →  ${short(replacement)}  on  ${short(on)}`);
  }
  if (score < THRESHOLD) process.exitCode = 1;
}
