/**
 * `pnpm fuzz [--seed N] [--inputs N] [name...]`: the long form of the fuzzers that the tests run briefly. Prints the
 * seed of the run, one line for each fuzzer, and each fault with the seed that repeats it alone. Exit 1 when there is
 * one.
 */
import { parseArgs } from "node:util";
import { fuzzArguments } from "./argv.ts";
import { fuzzers, fuzzGateway } from "./gateway.ts";
import type { FuzzReport } from "./gateway.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string" }, inputs: { type: "string", default: "20000" } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
type Fuzz = (seed: number, inputs: number) => Promise<FuzzReport>;
/** Each by its name. A process for each line takes longer than a request, so it gets one input in a hundred. */
const all: readonly (readonly [name: string, fuzz: Fuzz])[] = [
  ...fuzzers.map(
    (fuzzer) => [fuzzer.name, (first: number, inputs: number) => fuzzGateway(fuzzer, first, inputs)] as const,
  ),
  ["arguments", (first, inputs) => fuzzArguments(first, Math.ceil(inputs / 100))],
];
const chosen = all.filter(([name]) => positionals.length === 0 || positionals.some((word) => name.includes(word)));
process.stdout.write(`seed ${seed}\n`);
for (const [name, fuzz] of chosen) {
  const { inputs, faults, grownMiB } = await fuzz(seed, Number(values.inputs));
  process.stdout.write(
    `${name}: ${inputs} inputs, ${faults.length} faults, memory ${grownMiB} MiB above its beginning\n`,
  );
  for (const fault of faults) process.stdout.write(`  ${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}
if (chosen.length === 0) {
  process.stderr.write(`no such fuzzer; there are: ${all.map(([name]) => name).join(", ")}\n`);
  process.exitCode = 2;
}
