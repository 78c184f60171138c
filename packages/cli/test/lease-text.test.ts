import type { LeaseStatus, ProfileStatus } from "@lockkeeper/profiles";
import { expect, test } from "vitest";
import { describeOwner, describeWait } from "../src/lease-text.ts";

const LEASE: LeaseStatus = { key: "k", owner: "host-a", since: null, token: null, timeLeftMs: 8_400, unknown: null };

const waiting = (lease: LeaseStatus): ProfileStatus =>
  ({ reason: "host-a owns it since 14:02 UTC", lease }) as unknown as ProfileStatus;

test("a wait says how long the lease lasts, as far as that is known", () => {
  expect(describeWait(waiting(LEASE))).toBe("host-a owns it since 14:02 UTC (lease runs out in 9 s)");
  expect(describeWait(waiting({ ...LEASE, timeLeftMs: null, unknown: "etcd does not answer" }))).toBe(
    "host-a owns it since 14:02 UTC",
  );
});

test("an owner is named with the time that is left, and is unknown when nobody said", () => {
  expect(describeOwner(LEASE)).toBe("host-a, 8s");
  expect(describeOwner({ ...LEASE, owner: null, timeLeftMs: null })).toBe("nobody");
  expect(describeOwner({ ...LEASE, unknown: "etcd does not answer" })).toBe("unknown");
  expect(describeOwner(null)).toBe("-");
});
