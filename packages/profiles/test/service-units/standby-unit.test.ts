import { expect, test } from "vitest";
import { parseProfileName } from "../../src/profile-name.ts";
import { formatSystemdUnit } from "../../src/service-units/systemd-unit.ts";
import type { UnitPlan } from "../../src/service-units/unit-plan.ts";

const PLAN: UnitPlan = {
  profile: parseProfileName("prod"),
  home: "/home/me/.lockkeeper",
  launcher: ["/usr/bin/node", "/opt/lockkeeper.js"],
  stopTimeoutMs: 15_000,
  notifies: false,
  mayStandBy: false,
  harden: false,
};

test("a unit without a readiness report waits for a running gateway, but not for one that may stand by for days", () => {
  expect(formatSystemdUnit(PLAN, "lockkeeper-prod.service")).toMatch(/^ExecStartPost=.*"?wait"? "?prod"?/mu);
  const standingBy = formatSystemdUnit({ ...PLAN, mayStandBy: true }, "lockkeeper-prod.service");
  expect(standingBy).toContain("\nType=exec\n");
  expect(standingBy).not.toContain("ExecStartPost");
});
