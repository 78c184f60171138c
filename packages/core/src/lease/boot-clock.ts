/**
 * The clock of a lease: time since boot, with the time that the host slept. A timer's clock stands still in a suspended
 * host, and the wall clock is set by people; neither may decide when a lease is over.
 */
import { uptime } from "node:os";

/** Returns milliseconds since boot, to 10 ms. Comparable between the processes of one host, as long as it runs. Source: proc_uptime(5). */
export function bootTimeMs(): number {
  return uptime() * 1_000;
}
