/**
 * `pnpm e2e:programs`: every program of docs/programs.md for real, with Vite and Next.js from the npm registry, each in
 * its own home. Prints a line for each and leaves nothing. Exit 1 when one failed; programs that this machine cannot run
 * are named.
 */
import { withScratchHome } from "../harness/scratch-home.ts";
import { RECIPES } from "./recipes.ts";
import { tryRecipe } from "./try-recipe.ts";

async function main(): Promise<number> {
  let failed = 0;
  for (const recipe of RECIPES) {
    const found = recipe.finds?.();
    if (found !== undefined && "missing" in found) {
      console.log(`not run  ${recipe.command}: ${found.missing}`);
      continue;
    }
    const PATH = `${found === undefined ? "" : `${found.folder}:`}${process.env["PATH"] ?? ""}`;
    const begunAt = performance.now();
    try {
      await withScratchHome((scratch) => tryRecipe(scratch, recipe, PATH));
      console.log(`ok       ${recipe.command} (${Math.round((performance.now() - begunAt) / 1_000)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED   ${recipe.command}: ${String(error)}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
