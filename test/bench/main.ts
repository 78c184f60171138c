/**
 * `pnpm bench [--quick] [--write] [--only section] [--node path] [name...]`: prints the overview as Markdown, or runs
 * the named benches. A bench is a file beside this one that exports `run()` and prints its own figures. No figure makes
 * it fail.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { overview, SECTIONS, writeFigures } from "./overview.ts";

const here = import.meta.dirname;
const NOT_NAMED = ["main.js", "overview.js", "bench.test.js"];
const known = readdirSync(here)
  .filter((file) => file.endsWith(".js") && !NOT_NAMED.includes(file))
  .map((file) => path.basename(file, ".js"))
  .sort();

const OPTIONS = {
  quick: { type: "boolean", default: false },
  write: { type: "boolean", default: false },
  only: { type: "string", multiple: true },
  node: { type: "string" },
} as const;

async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const { quick, write, only, node } = values;
  const unknown = positionals.filter((name) => !known.includes(name));
  const missing = only?.filter((name) => SECTIONS[name] === undefined) ?? [];
  if (unknown.length + missing.length > 0) {
    process.stderr.write(
      `no such bench or section: ${[...unknown, ...missing].join(", ")}; benches: ${known.join(", ")}; sections: ${Object.keys(SECTIONS).join(", ")}\n`,
    );
    process.exitCode = 2;
    return;
  }
  if (positionals.length === 0) {
    const figures = await overview({
      quick,
      ...(only === undefined ? {} : { only }),
      ...(node === undefined ? {} : { node: path.resolve(node) }),
    });
    process.stdout.write(figures);
    if (write) writeFigures(path.join(here, "../../../docs/performance.md"), figures);
  }
  for (const name of positionals) {
    const bench: unknown = await import(pathToFileURL(path.join(here, `${name}.js`)).href);
    if (!hasRun(bench)) continue;
    process.stdout.write(`\n# ${name}\n`);
    await bench.run();
  }
}

function hasRun(module: unknown): module is { run: () => Promise<void> } {
  return typeof module === "object" && module !== null && "run" in module && typeof module.run === "function";
}

await main(process.argv.slice(2));
