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

/** The limit, in milliseconds, for making the image and removing everything, on a machine that runs other tests too. */
const HOOK_MS = 600_000;

/**
 * Registers the hooks that open and close the podman; where there can be none, it opens none and prints so with `what`.
 */
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

/** Makes user and group `uid` the owner of a folder and its content. */
export function give(folder: string, uid: number): void {
  chownSync(folder, uid, uid);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    lchownSync(path.join(entry.parentPath, entry.name), uid, uid);
  }
}
