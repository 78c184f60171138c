/**
 * A claim on a lock file, whichever mechanism holds it. For the two mechanisms and their callers.
 */
import type { LockMechanism, ParsedLockRecord } from "../lock-record.ts";
import type { LockedFile } from "./locked-file.ts";

/** Returns the bytes of the record for a claim held by `mechanism`. */
export type ComposeRecord = (mechanism: LockMechanism) => Uint8Array;

/** A file of a claim, and what it held before our record. */
export interface ClaimedFile {
  readonly file: LockedFile;
  readonly said: ParsedLockRecord;
}

/** An exclusive claim, held until `release` or the end of the process. */
export interface Claim {
  readonly mechanism: LockMechanism;
  /** The lock file's descriptor. With the kernel mechanism, a process that inherits it shares the claim. */
  readonly fd: number;
  /** The file's earlier content; undefined when we created it. */
  readonly previous: ParsedLockRecord | undefined;
  /** Whether the path still names our file. */
  isInPlace(): "yes" | "no" | "unknown";
  /** Writes the record anew, in place. */
  write(bytes: Uint8Array): void;
  /** Puts a removed or replaced file back; `refused` when another process owns the path by now. */
  restore(bytes: Uint8Array): Promise<"restored" | "refused">;
  /** Releases the claim; with `remove` the file is removed first. Harmless twice. */
  release(file: "remove" | "keep"): Promise<void>;
}

/** The common part of both mechanisms: open files with our record in each; the first one identifies the claim. */
export abstract class FileClaim implements Claim {
  abstract readonly mechanism: LockMechanism;
  readonly previous: ParsedLockRecord | undefined;
  protected readonly files: ClaimedFile[];

  /** @param locked every file that was locked on the way, also those that are not kept: their records name earlier owners. */
  constructor(files: readonly ClaimedFile[], locked: readonly ClaimedFile[] = files) {
    this.files = [...files];
    this.previous = locked.find(({ file }) => file.origin === "leftover")?.said;
  }

  get fd(): number {
    return this.#first.fd;
  }

  isInPlace(): "yes" | "no" | "unknown" {
    let all: "yes" | "unknown" = "yes";
    for (const { file } of this.files) {
      const one = file.isInPlace();
      if (one === "no") return "no";
      if (one === "unknown") all = "unknown";
    }
    return all;
  }

  write(bytes: Uint8Array): void {
    for (const { file } of this.files) file.write(bytes);
  }

  get #first(): LockedFile {
    const [first] = this.files;
    if (first === undefined) throw new TypeError("expected a claim of one file at least");
    return first.file;
  }

  abstract restore(bytes: Uint8Array): Promise<"restored" | "refused">;
  abstract release(file: "remove" | "keep"): Promise<void>;
}
