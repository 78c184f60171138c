/**
 * The clock of a lease: time since boot, including time asleep. A timer's clock stops while the host is suspended, and people
 * set the wall clock, so neither may decide when a lease is over.
 */
import { uptime } from "node:os";

/** Returns milliseconds since boot, to 10 ms. Comparable between the processes of one host, as long as it runs. Source: proc_uptime(5). */
export function bootTimeMs(): number {
  return uptime() * 1_000;
}
