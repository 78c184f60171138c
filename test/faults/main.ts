/**
 * `pnpm faults [--change <name>] [--errno <errno>] [--at-once <n>]`: the long form, every errno at every file call of
 * every command that writes. Each flaw is printed at once. Exit 1 when one of them left something that it must not
 * leave.
 */
import { parseArgs } from "node:util";
import { CHANGES, ERRNOS, injectFaults } from "./faults.ts";

const { values } = parseArgs({
  options: { change: { type: "string" }, errno: { type: "string" }, "at-once": { type: "string", default: "2" } },
});
const { injected, flaws } = await injectFaults({
  changes: CHANGES.filter(({ name }) => values.change === undefined || name === values.change),
  errnosAt: () => ERRNOS.filter((errno) => values.errno === undefined || errno === values.errno),
  atOnce: Number(values["at-once"]),
  onProgress: (text) => process.stderr.write(`${text}\n`),
  onFlaw: ({ change, fault, flaw }) => process.stdout.write(`${change} ${fault}: ${flaw.trim()}\n`),
});
process.stdout.write(`${injected} faults, ${flaws.length} flaws\n`);
process.exitCode = flaws.length === 0 ? 0 : 1;
