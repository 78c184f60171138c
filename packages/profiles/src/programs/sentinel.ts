/**
 * The sentinel as a program, started by a keeper with a lease: it reads orders from standard input and answers on standard
 * output. It ends the gateway when the lease is over and the keeper cannot, and writes the reason into the profile's history.
 */
import { standSentinel } from "@lockkeeper/core/internal";
import { parseArgs } from "node:util";
import { readRegistry } from "../registry/registry.ts";
import { sweepLeftover } from "../status/leftover.ts";

/** Written by `run/run-lease.ts`. */
const OPTIONS = { home: { type: "string" }, profile: { type: "string" } } as const;

const REASONS = {
  ended: "its keeper was gone and nobody renewed the lease: the sentinel ended the gateway",
  outlived: "its keeper was gone and nobody renewed the lease: the sentinel asked the gateway to end",
} as const;

async function main(): Promise<void> {
  const { home, profile } = parseArgs({ options: OPTIONS }).values;
  // The end of a terminal or a unit is meant for the keeper, which dismisses us when no process is left.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  const outcome = await standSentinel(process.stdin, process.stdout);
  if (outcome === "dismissed" || home === undefined || profile === undefined) return;
  const manifest = readRegistry(home).get(profile);
  if (manifest !== undefined) await sweepLeftover(home, manifest, REASONS[outcome]);
}

main().then(
  () => process.exit(0),
  () => process.exit(1),
);
