/**
 * Checks for leases whose etcd has too few members to lose one, and for state that another host does not see. The preflight
 * checks whether etcd answers.
 */
import { networkFileSystem } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import type { Manifest } from "../manifest.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds reasons why a lease cannot do its work. */
export function checkLeases({ patients }: Scene): readonly Finding[] {
  return patients.flatMap(({ manifest }) => checkLease(manifest));
}

function checkLease(manifest: Manifest): readonly Finding[] {
  const { name, lease, paths } = manifest;
  if (lease === undefined) return [];
  const findings: Finding[] = [];
  if (lease.endpoints.length < 3) {
    findings.push({
      weight: "warning",
      code: "lease-few-members",
      title: `the lease of ${name} has ${lease.endpoints.length === 1 ? "one endpoint" : "two endpoints"}`,
      evidence: ["etcd goes on without one member only when it has three: with fewer, its loss ends the gateway"],
      command: null,
    });
  }
  if (existsSync(paths.state) && networkFileSystem(paths.state) === undefined) {
    findings.push({
      weight: "unknown",
      code: "lease-local-state",
      title: `the state of ${name} lies on a disk of this host: the lease moves who runs it, not what it knows`,
      evidence: [paths.state],
      command: null,
    });
  }
  return findings;
}
