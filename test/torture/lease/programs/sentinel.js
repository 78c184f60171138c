/** The sentinel of the torture's keepers. */
import { standSentinel } from "@lockkeeper/core/internal";

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => undefined);
await standSentinel(process.stdin, process.stdout);
process.exit(0);
