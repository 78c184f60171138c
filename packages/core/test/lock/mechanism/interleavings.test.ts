/**
 * What another process does between two steps of a claim, at exactly that moment: it deletes or replaces the file, or it
 * claims by the other mechanism. Each repeated look has its case here.
 */
import { mkdirSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { KernelLockTable } from "../../../src/host/kernel-locks.ts";
import { describeSelf } from "../../../src/lock/lock-owner.ts";
import type { LockMechanism } from "../../../src/lock/lock-record.ts";
import { formatLockRecord } from "../../../src/lock/lock-record.ts";
import type * as KernelLock from "../../../src/lock/mechanism/kernel-lock.ts";
import { tryKernelLock } from "../../../src/lock/mechanism/kernel-lock.ts";
import { tryLockFile } from "../../../src/lock/mechanism/locked-file.ts";
import { tryClaim } from "../../../src/lock/mechanism/try-claim.ts";

/** Runs once before the next lock attempt. */
const between: { act: (() => void) | undefined } = vi.hoisted(() => ({ act: undefined }));

vi.mock("../../../src/lock/mechanism/kernel-lock.ts", async (importOriginal) => {
  const original = await importOriginal<typeof KernelLock>();
  return {
    ...original,
    tryKernelLock(fd: number) {
      const { act } = between;
      between.act = undefined;
      act?.();
      return original.tryKernelLock(fd);
    },
  };
});

let home: string;
let files: { readonly path: string; readonly earlierPath: string };

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-between-"));
  mkdirSync(join(home, "lock"), { mode: 0o700 });
  files = {
    path: join(home, "lock", "gateway.11111111.lock"),
    earlierPath: join(home, "lock", "gateway.22222222.lock"),
  };
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

const compose = (mechanism: LockMechanism): Uint8Array =>
  formatLockRecord(describeSelf({ configPath: home })(mechanism));

function replace(path: string): void {
  writeFileSync(`${path}.new`, "", { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

describe("a file that is", () => {
  test.each([
    ["deleted", (path: string): void => rmSync(path)],
    ["replaced", replace],
  ])("%s after it was opened is not the locked file", (_how, harm) => {
    between.act = () => harm(files.path);
    const file = tryLockFile(files.path, { create: true });
    expect(file).not.toBe("refused");
    if (file === "refused" || file === "absent") return;
    expect(file.isInPlace()).toBe("yes");
    file.close();
  });

  test.each(["path", "earlierPath"] as const)(
    "deleted before the record is written (%s) is no claim",
    async (which) => {
      const claim = await tryClaim(files, (mechanism) => {
        rmSync(files[which]);
        return compose(mechanism);
      });
      expect(claim).toBe("refused");
      const next = await tryClaim(files, compose);
      expect(next).not.toBe("refused");
      if (next !== "refused") await next.release("remove");
    },
  );
});

describe.runIf(process.platform === "linux")("an owner by a socket", () => {
  test.each(["path", "earlierPath"] as const)(
    "withdraws for a kernel owner that came between its two looks (%s)",
    async (which) => {
      const read = KernelLockTable.read.bind(KernelLockTable);
      let looks = 0;
      vi.spyOn(KernelLockTable, "read").mockImplementation(() => {
        const table = read();
        looks += 1;
        // Two looks at each file.
        if (looks === (which === "path" ? 1 : 3)) expect(tryKernelLock(openSync(files[which], "r+"))).toBe("granted");
        return table;
      });
      expect(await tryClaim(files, compose, { mechanisms: ["socket"] })).toBe("refused");
    },
  );
});
