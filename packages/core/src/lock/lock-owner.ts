/**
 * Facts about an owner: our own record; and of a recorded owner whether it lives, which pid to name, and why it no longer
 * counts. Inspects processes and takes no lock. For the gateway lock, its inspection and the mutex.
 */
import type { ProcessIdentity, ProcessVerdict } from "../host/process-identity.ts";
import { identifyProcess, judgeProcess, ownIdentity } from "../host/process-identity.ts";
import { ownNetworkNamespace } from "../host/proc.ts";
import { randomBytes } from "../storage/random-bytes.ts";
import type { LockMechanism, LockRecord, ParsedLockRecord } from "./lock-record.ts";

/** The two processes that may hold a lock; `verdict` is `alive` when either lives and `gone` when neither does. */
export interface OwnerReport {
  readonly verdict: ProcessVerdict;
  /** The process to name: the gateway if it lives, else the process that took the lock. */
  readonly pid: number;
}

/** What an owner may say about itself besides its identity. */
export interface OwnerFacts {
  readonly configPath: string;
  readonly profile?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** Never the same twice. */
const NONCE_BYTES = 16;
const NONCES_AT_ONCE = 16;

/** Random bytes that no nonce has used yet. */
let drawn: Buffer = Buffer.alloc(0);

/** Returns this process's record: one owner with one nonce, whichever mechanism will hold the lock. */
export function describeSelf(facts: OwnerFacts): (mechanism: LockMechanism) => LockRecord {
  const nonce = drawNonce();
  const createdAt = new Date().toISOString();
  return (mechanism) => ({
    v: 1,
    mechanism,
    ...ownIdentity(),
    networkNamespace: mechanism === "socket" ? ownNetworkNamespace() : null,
    nonce,
    profile: facts.profile ?? null,
    configPath: facts.configPath,
    host: facts.host ?? null,
    port: facts.port ?? null,
    gateway: null,
    createdAt,
  });
}

/** Drawn for several locks at once, because drawing takes four system calls. */
function drawNonce(): string {
  if (drawn.byteLength < NONCE_BYTES) drawn = randomBytes(NONCE_BYTES * NONCES_AT_ONCE);
  const nonce = drawn.toString("hex", 0, NONCE_BYTES);
  drawn = drawn.subarray(NONCE_BYTES);
  return nonce;
}

/** Judges the gateway and the keeper of the record. */
export function judgeOwner(record: LockRecord): OwnerReport {
  const keeper = judgeProcess(record);
  const gateway = record.gateway === null ? "gone" : judgeProcess(gatewayIdentity(record, record.gateway));
  if (record.gateway !== null && gateway === "alive") return { verdict: "alive", pid: record.gateway.pid };
  if (keeper === "alive") return { verdict: "alive", pid: record.pid };
  return { verdict: keeper === "unknown" || gateway === "unknown" ? "unknown" : "gone", pid: record.pid };
}

/** Says, for the log, why the lock file's record no longer counts. Must be called with the lock held. */
export function explainReclaim(said: ParsedLockRecord): string {
  if (said.record === null) return `the file ${said.problem}, and nobody holds its lock`;
  const { record } = said;
  const who = `its owner (pid ${record.pid})`;
  if (record.bootId !== null && record.bootId !== ownIdentity().bootId)
    return `${who} ran before the host was restarted`;
  const { verdict } = judgeOwner(record);
  if (verdict === "alive") return `${who} has let the lock go`;
  if (verdict === "unknown") return `${who} is not visible from here, and nobody holds its lock`;
  return identifyProcess(record.pid) === undefined
    ? `${who} is gone`
    : `${who} is gone, its pid is another process now`;
}

function gatewayIdentity(record: LockRecord, gateway: NonNullable<LockRecord["gateway"]>): ProcessIdentity {
  return { ...gateway, bootId: record.bootId, pidNamespace: record.pidNamespace };
}
