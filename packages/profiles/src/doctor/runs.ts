/** Checks for gateways in a bad state, and for the remains of killed runs. */
import { LockkeeperError, inspectGatewayLock } from "@lockkeeper/core";
import { lookAtKernelLocks, refuseUnsafeLockFiles } from "@lockkeeper/core/internal";
import type { LockInspection } from "@lockkeeper/core";
import type { KernelLook } from "@lockkeeper/core/internal";
import type { Manifest } from "../manifest.ts";
import { lockPlace } from "../profile-paths.ts";
import type { HostFacts } from "../run/host-facts.ts";
import { sweepLeftover } from "../status/leftover.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds gateways in a bad state, and the remains of killed runs. */
export async function checkRuns({ context: { home }, patients, facts }: Scene): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const look = lookAtKernelLocks();
  for (const patient of patients) {
    const finding = ofState(patient) ?? (await ofPlace(home, patient, look, facts));
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

function ofState({ manifest: { name, paths }, observed }: ProfileObservation): Finding | undefined {
  const { state, reason, gateway, keeper } = observed;
  const pids = `gateway ${gateway?.pid ?? "gone"}, keeper ${keeper?.pid ?? "gone"}`;
  const evidence = [...(reason === null ? [] : [reason]), pids, paths.logs];
  switch (state) {
    case "unresponsive":
      return {
        weight: "error",
        code: "unresponsive",
        title: `${name} runs but does not answer`,
        evidence,
        command: `lockkeeper restart ${name}`,
      };
    case "failed":
      return {
        weight: "error",
        code: "failed",
        title: `${name} gave up`,
        evidence,
        command: `lockkeeper why ${name}`,
      };
    case "blocked":
      return {
        weight: "error",
        code: "blocked",
        title: `${name} cannot start: its port is held by another process`,
        evidence,
        command: `lockkeeper ports ${name}`,
      };
    case "orphaned":
      return {
        weight: "warning",
        code: "orphaned",
        title: `${name} runs without a keeper: nobody restarts it when it crashes`,
        evidence,
        command: `lockkeeper restart ${name}`,
      };
    default:
      return keeper?.pid === 1 ? asFirstProcess(name) : undefined;
  }
}

/** Only the process that adopts orphans can reap them, and here that is a program that waits for its own children alone. */
function asFirstProcess(name: string): Finding {
  return {
    weight: "warning",
    code: "no-init",
    title: `the keeper of ${name} is the first process of its container: what its gateway leaves behind is never reaped`,
    evidence: ["pid 1 is a keeper"],
    command: `lockkeeper export ${name} --format compose --containerfile`,
  };
}

/** What cannot be looked at is unknown of that profile, and says nothing about the others. */
async function ofPlace(
  home: string,
  patient: ProfileObservation,
  look: KernelLook,
  facts: HostFacts,
): Promise<Finding | undefined> {
  const { name, paths } = patient.manifest;
  try {
    if (isFree(patient, look, facts)) return undefined;
    refuseUnsafeLockFiles(lockPlace(paths));
    return await ofLock(home, patient, look);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    // The check of the next start names it, with the command that helps; no sweep would.
    if (error.code === "UNSAFE_PATH") return undefined;
    return ownerUnknown(name, [paths.lock, error.message]);
  }
}

function ownerUnknown(name: string, evidence: readonly string[]): Finding {
  return {
    weight: "unknown",
    code: "lock-owner-unknown",
    title: `whether ${name} has an owner is unknown from here`,
    evidence,
    command: `lockkeeper status ${name}`,
  };
}

/** Most have no lock file, and nobody's mark: nothing is left to be told of them. */
function isFree({ manifest: { paths }, observed }: ProfileObservation, look: KernelLook, facts: HostFacts): boolean {
  if (observed.leftover || facts.lockFiles(paths.lock) === "some") return false;
  // Without any mark in the kernel's list it does not matter whose directory this is.
  const isPlain = facts.look.kindOf(paths.lock) === "directory";
  return (isPlain && look.listsNoMarks()) || look.ask(lockPlace(paths)).verdict === "free";
}

async function ofLock(
  home: string,
  { manifest, record, observed }: ProfileObservation,
  look: KernelLook,
): Promise<Finding | undefined> {
  const { name } = manifest;
  const { verdict, path, reason } = await inspect(manifest, look);
  if (verdict === "unknown") return ownerUnknown(name, [path, reason]);
  if (verdict !== "stale" && !observed.leftover) return undefined;
  return {
    weight: "warning",
    code: "leftover",
    title: `a killed run of ${name} left its lock or record behind`,
    evidence: [path, reason, ...(record === undefined ? [] : [`last published state: ${record.state}`])],
    command: "lockkeeper doctor --fix",
    fix: { what: `sweep what the killed run of ${name} left`, apply: () => sweepLeftover(home, manifest) },
  };
}

/** A lock that is not plainly free is checked again: an owner may have come or gone since the shared observation. */
async function inspect({ paths }: Manifest, look: KernelLook): Promise<LockInspection> {
  const shared = await inspectGatewayLock(lockPlace(paths), look);
  return shared.verdict === "free" ? shared : inspectGatewayLock(lockPlace(paths));
}
