import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** As many as `test/harness/ports.ts` has ranges of ports for. */
const MOST_WORKERS = 4;

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/build/**"],
    // Tests start real processes and contend for two cores; none of them asserts how fast something is. The limits are
    // for a wait that never ends: they are above the sum of a test's waits on a machine that does ten other things.
    pool: "forks",
    maxWorkers: Math.max(1, Math.min(MOST_WORKERS, availableParallelism() - 1)),
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A wait that a busy machine made too long gets a second chance, which `pnpm test` reports by name. An assertion gets none.
    retry: { count: 1, condition: /^not so after \d+ ms|^(?:Test|Hook) timed out/ },
  },
});
