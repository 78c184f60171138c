import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/build/**"],
    // Tests start real processes and contend for two cores; none of them asserts how fast something is.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A wait that a busy machine made too long gets a second chance, which `pnpm test` reports by name. An assertion gets none.
    retry: { count: 1, condition: /^not so after \d+ ms|^Test timed out/ },
  },
});
