import { defineConfig } from "vitest/config";

/** The tests of the one file that is mutated, as scripts/mutate.js names them: so that a thousand runs take minutes. */
export default defineConfig({
  test: { include: (process.env["MUTATION_TESTS"] ?? "").split(","), testTimeout: 60_000 },
});
