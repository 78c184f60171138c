/** Follows the file that the gateways of a lease's torture write; reads every line once. */
import { closeSync, openSync, readSync } from "node:fs";

import type { Write } from "./lease-witness.ts";
import { parseWrites } from "./lease-witness.ts";

export class WriteTail {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(1 << 16);
  readonly #writes: Write[] = [];
  #rest = "";

  /** Makes the file. */
  constructor(path: string) {
    closeSync(openSync(path, "a"));
    this.#fd = openSync(path, "r");
  }

  /** Returns all writes so far, in the order of the file. */
  read(): readonly Write[] {
    for (;;) {
      const length = readSync(this.#fd, this.#buffer);
      if (length === 0) return this.#writes;
      const text = this.#rest + this.#buffer.toString("latin1", 0, length);
      const end = text.lastIndexOf("\n") + 1;
      this.#rest = text.slice(end);
      this.#writes.push(...parseWrites(text.slice(0, end)));
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
