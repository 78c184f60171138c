/** One podman for the tests of a file, and a home for each of them. */
import { chownSync, lchownSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { openPodman, podmanFault } from "./podman.ts";
import type { Podman } from "./podman.ts";
import { withScratchHome } from "./scratch-home.ts";
import type { ScratchHome } from "./scratch-home.ts";

/** Gives `use` a home and a podman without containers; these have ended, and the home is ours again, before it
 * is looked at for what is left. */
export type ContainerScene = (use: (scratch: ScratchHome, podman: Podman) => Promise<void>) => Promise<void>;

/** How long making the image and removing everything may take together with all else that runs, in milliseconds. */
const HOOK_MS = 120_000;

/** Registers what opens and closes the podman; opens none where there can be none, and says so with `what`. */
export function containerScenes(what: string): { readonly fault: string | undefined; readonly scene: ContainerScene } {
  const fault = podmanFault();
  if (fault !== undefined) process.stdout.write(`skipped: ${what}: ${fault}\n`);
  let podman: Podman | undefined;
  beforeAll(async () => {
    if (fault === undefined) podman = await openPodman();
  }, HOOK_MS);
  afterAll(() => podman?.close(), HOOK_MS);
  return {
    fault,
    scene: (use) =>
      withScratchHome(async (scratch) => {
        if (podman === undefined) throw new Error("there is no podman");
        await use(scratch, podman).finally(async () => {
          await podman?.clear();
          give(scratch.home, 0);
        });
      }),
  };
}

/** Makes user and group `uid` the owner of a folder and all that is in it. */
export function give(folder: string, uid: number): void {
  chownSync(folder, uid, uid);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    lchownSync(path.join(entry.parentPath, entry.name), uid, uid);
  }
}
