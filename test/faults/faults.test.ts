/**
 * SECURITY 12, 13, the short form: one failing file call at each place where a change becomes durable, and at a sample
 * of all others. `pnpm faults` is the long form.
 */
import { expect, test } from "vitest";
import { CHANGES, ERRNOS, injectFaults } from "./faults.ts";

/** The calls that could leave half a change. */
const DECISIVE: ReadonlySet<string> = new Set(["fsync", "rename", "unlink"]);
/** Every n-th of the other calls, and of the other commands too. */
const SAMPLE = 12;
const FOLDER_CHANGES: ReadonlySet<string> = new Set(["create", "rename", "remove", "restore"]);
/** Each writes the settings, two of them one way and one the other way. */
const SETTINGS_CHANGES: ReadonlySet<string> = new Set(["use", "ports reserve", "config set"]);

test("security 12, 13: a failing file call leaves the old or the new content, whole, and the exit status says which", async () => {
  const report = await injectFaults({
    changes: CHANGES.filter(({ name }) => FOLDER_CHANGES.has(name)),
    errnosAt: (kind, n) => (DECISIVE.has(kind) || n % SAMPLE === 1 ? [ERRNOS[n % ERRNOS.length] ?? "EIO"] : []),
  });
  expect(report.flaws).toEqual([]);
  // A lower count would mean that the preload no longer sees the calls of a command.
  expect(report.injected).toBeGreaterThan(60);
});

test("security 12, 13: settings that are written count, even when the disk does not confirm them", async () => {
  const report = await injectFaults({
    changes: CHANGES.filter(({ name }) => SETTINGS_CHANGES.has(name)),
    errnosAt: (kind, n) => (DECISIVE.has(kind) ? [ERRNOS[n % ERRNOS.length] ?? "EIO"] : []),
  });
  expect(report.flaws).toEqual([]);
  expect(report.injected).toBeGreaterThanOrEqual(2 * SETTINGS_CHANGES.size);
});
