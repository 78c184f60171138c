import { defineConfig } from "vitest/config";

/** The tests of the rooms that are mutated: pure ones, so that a thousand runs take minutes. */
export default defineConfig({
  test: {
    include: [
      "packages/core/test/lock/lock-record.test.ts",
      "packages/core/test/host/process-identity.test.ts",
      "packages/core/test/keeper/restart-policy.test.ts",
      "packages/core/test/keeper/liveness.test.ts",
      "packages/core/test/gateway/request-guard.test.ts",
      "packages/core/test/gateway/failure-budget.test.ts",
      "packages/profiles/test/profile-name.test.ts",
      "packages/profiles/test/status/observed-state.test.ts",
      "packages/profiles/test/ports/port-plan.test.ts",
      "packages/profiles/test/kinds/argv-template.test.ts",
      "packages/profiles/test/env-file.test.ts",
      "packages/cli/test/exit-status.test.ts",
    ],
    testTimeout: 60_000,
  },
});
