import { defineConfig } from "vitest/config";

/** Runs only the tests of the mutated file, which scripts/mutate.js names, so that a thousand runs take minutes. */
export default defineConfig({
  test: { include: (process.env["MUTATION_TESTS"] ?? "").split(","), testTimeout: 60_000 },
});
