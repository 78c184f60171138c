/**
 * The sentinel as a program, started by a keeper with a lease: standard input brings orders, standard output the answers.
 * It ends the gateway when the lease is over and its keeper cannot, and then tells the profile's history why.
 */
import { standSentinel } from "@lockkeeper/core";
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
  // Whoever ends a terminal or a unit means the keeper, which sends us home when nothing is left.
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
