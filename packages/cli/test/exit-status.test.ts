import { LockkeeperError } from "@lockkeeper/core";
import type { ErrorCode } from "@lockkeeper/core";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ERROR_STATUSES, combineStatuses, statusOfError, statusOfRun, statusOfState } from "../src/exit-status.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../../docs/cli.md"), "utf8");

describe("exit statuses", () => {
  test.each<[ErrorCode, number]>([
    ["USAGE", 2],
    ["PROFILE_NAME_INVALID", 2],
    ["PORT_INVALID", 2],
    ["PROFILE_NOT_FOUND", 4],
    ["STILL_STARTING", 5],
    ["REGISTRY_DAMAGED", 65],
    ["PROFILE_EXISTS", 73],
    ["DISK_FULL", 74],
    ["PERMISSION_DENIED", 77],
    ["PORT_IN_USE", 78],
    ["LOCK_HELD", 78],
    ["PORTS_OVERLAP", 78],
  ])("%s is %i", (code, status) => expect(statusOfError(new LockkeeperError(code, "x"))).toBe(status));

  test("an internal error is 1", () => expect(statusOfError(new TypeError("x"))).toBe(1));

  test("status answers 0 only for a running profile, 5 while it starts, else 3", () => {
    expect(statusOfState("running")).toBe(0);
    expect(statusOfState("starting")).toBe(5);
    for (const state of ["stopped", "failed", "blocked", "unresponsive", "orphaned", "external"] as const) {
      expect(statusOfState(state)).toBe(3);
    }
  });

  test("of several results the most severe decides", () => {
    expect(combineStatuses([])).toBe(0);
    expect(combineStatuses([0, 0])).toBe(0);
    expect(combineStatuses([0, 4, 78])).toBe(78);
    expect(combineStatuses([2, 4])).toBe(4);
    expect(combineStatuses([3, 5, 2])).toBe(5);
    expect(combineStatuses([78, 1, 74])).toBe(1);
  });

  test("of any two results, the one that docs/cli.md names first decides, and any of them outranks success", () => {
    const line = /the first that applies of ([\d ]+)\./.exec(page)?.[1] ?? "";
    const order = line.split(" ").map(Number);
    expect(new Set(order)).toEqual(new Set([...Object.values(ERROR_STATUSES), statusOfState("stopped")]));
    for (const [place, status] of order.entries()) {
      for (const other of [...order.slice(place), 0]) {
        expect(combineStatuses([other, status])).toBe(status);
        expect(combineStatuses([status, other])).toBe(status);
      }
    }
  });

  test.each(Object.entries(ERROR_STATUSES))("docs/cli.md says that %s exits with %i", (code, status) => {
    expect(page).toMatch(new RegExp(`^\\| ${status} +\\|.*\`${code}\``, "m"));
  });
});

test.each([
  ["stopped", null, 0],
  ["left-in-control", null, 0],
  ["blocked", "PORT_IN_USE", 78],
  ["failed", "GATEWAY_EXITED", 1],
  ["failed", null, 1],
  ["failed", "GATEWAY_UNHEALTHY", 78],
  ["failed", "LEASE_HELD", 78],
  ["failed", "LEASE_UNAVAILABLE", 78],
  ["stopped", "LEASE_HELD", 0],
] as const)("a run that ends as %s with %s ends the command with %d", (outcome, code, status) => {
  expect(statusOfRun(outcome, code)).toBe(status);
});
