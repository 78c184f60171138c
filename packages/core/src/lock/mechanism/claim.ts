/**
 * What a claim on a lock file is, whichever mechanism holds it. For the two mechanisms and those who use them.
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

/** What the claims of both mechanisms have in common: open files, the first of them the one by which the claim is known, with our record in each. */
export abstract class FileClaim implements Claim {
  abstract readonly mechanism: LockMechanism;
  readonly previous: ParsedLockRecord | undefined;
  protected readonly files: ClaimedFile[];

  /** @param locked every file that was locked on the way, those that are not kept included: their records tell who was before us. */
  constructor(files: readonly ClaimedFile[], locked: readonly ClaimedFile[] = files) {
    this.files = [...files];
    this.previous = locked.find(({ file }) => file.origin === "leftover")?.said;
  }

  get fd(): number {
    return this.#first.fd;
  }

  isInPlace(): "yes" | "no" | "unknown" {
    const answers = this.files.map(({ file }) => file.isInPlace());
    return answers.find((answer) => answer === "no") ?? answers.find((answer) => answer === "unknown") ?? "yes";
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
