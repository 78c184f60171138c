/** A keeper with a lease, on one of the torture's hosts: <spec as JSON>. Prints every record and the outcome. */
import { runKeeper } from "@lockkeeper/core";

const stop = new AbortController();
const force = new AbortController();
process.on("SIGTERM", () => (stop.signal.aborted ? force.abort() : stop.abort()));
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
process.stdout.on("error", () => undefined);
const spec = JSON.parse(process.argv[2]);
try {
  print(await runKeeper({ ...spec, stop: stop.signal, force: force.signal, report: print }));
} catch (error) {
  print({ outcome: "failed", detail: `${error.code}: ${error.message}` });
}
process.exit(0);
