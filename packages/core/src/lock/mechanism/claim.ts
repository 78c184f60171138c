/**
 * What a claim on a lock file is, whichever mechanism holds it. For the two mechanisms and those who use them.
 */
import type { LockMechanism, ParsedLockRecord } from "../lock-record.ts";
import type { LockedFile } from "./locked-file.ts";

/** Returns the bytes of the record for a claim held by `mechanism`. */
export type ComposeRecord = (mechanism: LockMechanism) => Uint8Array;

/** An exclusive claim, held until `release` or the end of the process. */
export interface Claim {
  readonly mechanism: LockMechanism;
  /** The lock file's descriptor. With the kernel mechanism, who inherits it shares the claim. */
  readonly fd: number;
  /** What the file said before; undefined when we made it. */
  readonly previous: ParsedLockRecord | undefined;
  /** Does the path still name our file? */
  isInPlace(): "yes" | "no" | "unknown";
  /** Writes the record anew, in place. */
  write(bytes: Uint8Array): void;
  /** Puts the file back where it was removed or replaced; `refused` when somebody else owns the path by now. */
  restore(bytes: Uint8Array): Promise<"restored" | "refused">;
  /** Lets the claim go; with `remove` the file goes first. Harmless twice. */
  release(file: "remove" | "keep"): Promise<void>;
}

/** What the claims of both mechanisms have in common: one open file, with our record in it. */
export abstract class FileClaim implements Claim {
  abstract readonly mechanism: LockMechanism;
  readonly previous: ParsedLockRecord | undefined;
  protected file: LockedFile;

  /** `said` is what `file` held before our record. */
  constructor(file: LockedFile, said: ParsedLockRecord) {
    this.file = file;
    this.previous = file.origin === "created" ? undefined : said;
  }

  get fd(): number {
    return this.file.fd;
  }

  isInPlace(): "yes" | "no" | "unknown" {
    return this.file.isInPlace();
  }

  write(bytes: Uint8Array): void {
    this.file.write(bytes);
  }

  /** Holds `file` from now on, in place of the one that was removed or replaced. */
  protected exchange(file: LockedFile): void {
    this.file.close();
    this.file = file;
  }

  abstract restore(bytes: Uint8Array): Promise<"restored" | "refused">;
  abstract release(file: "remove" | "keep"): Promise<void>;
}
