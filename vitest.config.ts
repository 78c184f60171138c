import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/build/**"],
    // Tests start real processes and contend for two cores; none of them asserts how fast something is.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
