/**
 * A gateway that only writes: every 10 ms one line with its token into the witness's file, which keeps the order of all
 * writers. <host> <file> [drain ms]. Without a drain it ignores SIGTERM: only a kill ends it.
 */
import { openSync, writeSync } from "node:fs";

const [host, file, drainMs] = process.argv.slice(2);
const token = process.env.LOCKKEEPER_LEASE_TOKEN ?? "0";
const fd = openSync(file, "a");
setInterval(() => writeSync(fd, `W ${host} ${token} ${process.hrtime.bigint()}\n`), 10);
process.on("SIGTERM", () => {
  if (drainMs !== undefined) setTimeout(() => process.exit(0), Number(drainMs));
});
