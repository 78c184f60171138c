import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { ProfilesContext } from "../../src/context.ts";
import { createProfile } from "../../src/life/create.ts";
import type { Manifest } from "../../src/manifest.ts";
import { homePaths } from "../../src/profile-paths.ts";
import { formatRegistry } from "../../src/registry/registry.ts";
import { runProfile } from "../../src/run/run.ts";
import { sweepLeftover } from "../../src/status/leftover.ts";
import { scratchContext } from "../life/scratch-context.ts";

/** Removes the profile as `remove` leaves it, all at once. */
function removeNow(home: string, { paths }: Manifest): void {
  fs.renameSync(paths.profile, path.join(homePaths(home).trash, "dev.removed"));
  fs.writeFileSync(homePaths(home).registry, formatRegistry(home, 9, []));
}

/** A context in which `happen` runs after a run has read its manifest and before it takes the lock. */
function interrupted(context: ProfilesContext, happen: () => void): ProfilesContext {
  let happened = false;
  return {
    ...context,
    get env() {
      if (!happened) happen();
      happened = true;
      return context.env;
    },
  };
}

const { signal } = new AbortController();
const options = { supervised: false, stop: signal, force: signal };

test.each([
  ["gone", (): void => undefined],
  // The lock leaves this when the folder disappears in the moment in which it is taken.
  ["made again", ({ paths }: Manifest): unknown => fs.mkdirSync(paths.lock, { recursive: true, mode: 0o700 })],
])("a run finds no profile when it was removed before the run has the lock; its folder is %s", async (_, then) => {
  const context = scratchContext();
  const dev = await createProfile(context.home, { name: "dev" });
  const racing = interrupted(context, () => {
    removeNow(context.home, dev);
    then(dev);
  });
  await expect(runProfile(racing, "dev", options)).rejects.toMatchObject({ code: "PROFILE_NOT_FOUND" });
  expect(fs.existsSync(dev.paths.profile)).toBe(false);
});

test("sweeping the leftover of a removed profile does not create its folder again", async () => {
  const { home } = scratchContext();
  const dev = await createProfile(home, { name: "dev" });
  removeNow(home, dev);
  await sweepLeftover(home, dev);
  expect(fs.existsSync(dev.paths.profile)).toBe(false);
});
