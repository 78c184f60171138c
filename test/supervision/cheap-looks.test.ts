/**
 * Cheap commands stay cheap: profiles that do not run are judged by their records, without a look at a lock, and the
 * host is asked once for all of them. The test counts the file calls of the command itself.
 */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runCli } from "../harness/cli.ts";
import { fixture, withProfiles } from "./scratch-profiles.ts";
import type { ScratchProfiles } from "./scratch-profiles.ts";

const COUNTER = fileURLToPath(new URL("fixtures/count-files.cjs", import.meta.url));
const PROFILES = 6;

/** Runs a command and returns how often it made calls that match `pattern`; a call is `readFileSync /proc/locks`. */
async function count({ home, folder }: ScratchProfiles, args: readonly string[]): Promise<(pattern: RegExp) => number> {
  const file = path.join(folder, "seen.json");
  const env = { NODE_OPTIONS: `--require=${COUNTER}`, FILES_SEEN: file };
  const { status, stderr } = await runCli(home, args, { env });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const calls = (JSON.parse(readFileSync(file, "utf8")) as [string, string][]).map((call) => call.join(" "));
  rmSync(file);
  return (pattern) => calls.filter((call) => pattern.test(call)).length;
}

/** Profiles that have run once; the last one still runs. */
async function populate({ profiles, create }: ScratchProfiles): Promise<void> {
  for (let index = 0; index < PROFILES; index += 1) {
    const name = `p${index}`;
    await create({ name, span: 1, argv: fixture("serve", "{port}"), health: "tcp" });
    if (index === 0 || index === PROFILES - 1) await profiles.start(name);
  }
  await profiles.stop("p0");
}

const LOCK_FILE = /^openSync .*\/lock\/gateway\..*\.lock$/;
const KERNEL_LOCKS = /^(open|readFile)Sync \/proc\/locks$/;
const PROCESSES = /^readdirSync \/proc$/;
const REGISTRY = /^(open|readFile)Sync .*\/registry\.json$/;

describe.runIf(process.platform === "linux")("a look at many profiles", () => {
  test("opens no lock of a stopped one and each of a running one once, and reads the kernel's list only for who does not show its lock", () =>
    withProfiles(async (scratch) => {
      await populate(scratch);
      // Its gateway is seen to hold its lock.
      for (const args of [["list"], ["status", `p${PROFILES - 1}`]]) {
        const running = await count(scratch, args);
        expect({ args, locks: running(LOCK_FILE), lists: running(KERNEL_LOCKS) }).toEqual({ args, locks: 1, lists: 0 });
      }
      // The control: one that has closed the descriptor.
      const closed = ["sh", "-c", 'exec 3>&-; exec "$@"', "sh", ...fixture("serve", "{port}")];
      await scratch.create({ name: "closed", span: 1, argv: closed, health: "tcp" });
      await scratch.profiles.start("closed");
      const both = await count(scratch, ["list"]);
      expect({ locks: both(LOCK_FILE), lists: both(KERNEL_LOCKS) }).toEqual({ locks: 2, lists: 1 });
      await scratch.profiles.stop("closed");
      await scratch.profiles.stop(`p${PROFILES - 1}`);
      for (const args of [["list"], ["list", "--json"], ["ports"]]) {
        const stopped = await count(scratch, args);
        expect({ args, locks: stopped(LOCK_FILE), lists: stopped(KERNEL_LOCKS) <= 1 }).toEqual({
          args,
          locks: 0,
          lists: true,
        });
      }
    }));

  test("and a stop of ended ones walks over the processes once, and reads the registry for none of them", () =>
    withProfiles(async (scratch) => {
      await populate(scratch);
      await scratch.profiles.stop(`p${PROFILES - 1}`);
      const seen = await count(scratch, ["down"]);
      expect(seen(PROCESSES)).toBeLessThanOrEqual(1);
      expect(seen(LOCK_FILE)).toBe(0);
      // For those that never ran, or whose every trace somebody has removed under a living owner.
      expect(seen(KERNEL_LOCKS)).toBe(1);
      expect(seen(REGISTRY)).toBe(1);
    }));
});
