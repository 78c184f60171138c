/**
 * `pnpm fuzz [--seed N] [--inputs N] [name...]`: the long form of the fuzzers that the tests run briefly. Prints the seed of
 * the run, one line a fuzzer, and each fault with the seed that repeats it alone. Exit 1 when there is one.
 */
import { parseArgs } from "node:util";
import { fuzzers, fuzzGateway } from "./gateway.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string" }, inputs: { type: "string", default: "20000" } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const chosen = fuzzers.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
process.stdout.write(`seed ${seed}\n`);
for (const fuzzer of chosen) {
  const { inputs, faults, grownMiB } = await fuzzGateway(fuzzer, seed, Number(values.inputs));
  process.stdout.write(
    `${fuzzer.name}: ${inputs} inputs, ${faults.length} faults, memory ${grownMiB} MiB above its beginning\n`,
  );
  for (const fault of faults) process.stdout.write(`  ${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}
if (chosen.length === 0) {
  process.stderr.write(`no such fuzzer; there are: ${fuzzers.map(({ name }) => name).join(", ")}\n`);
  process.exitCode = 2;
}
