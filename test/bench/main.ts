/**
 * `pnpm bench [name...]`: runs the named benches, or all of them, one after the other. A bench is a file beside this one
 * that exports `run()` and prints its own figures. Nothing here fails on a figure.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const here = import.meta.dirname;
const known = readdirSync(here)
  .filter((file) => file.endsWith(".js") && file !== "main.js")
  .map((file) => path.basename(file, ".js"))
  .sort();

async function main(asked: readonly string[]): Promise<void> {
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`no such bench: ${unknown.join(", ")}; there are: ${known.join(", ")}\n`);
    process.exitCode = 2;
    return;
  }
  for (const name of asked.length > 0 ? asked : known) {
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
