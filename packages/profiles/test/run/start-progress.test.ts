import { describe, expect, test } from "vitest";
import { describeStart } from "../../src/run/start-progress.ts";

const GATEWAY = { pid: 7, startTicks: 1, bootId: "b", pidNamespace: "1" };
const BEGUN = { state: "starting", reason: null, gateway: GATEWAY, host: "127.0.0.1", port: 20_000 } as const;

describe("the messages of a start while it lasts", () => {
  test.each([
    ["tcp", undefined, "starting, waiting for 127.0.0.1:20000"],
    ["http", undefined, "starting, waiting for http://127.0.0.1:20000/"],
    ["/up", "https", "starting, waiting for https://127.0.0.1:20000/up"],
    ["/up?key=s3cret", "ws", "starting, waiting for http://127.0.0.1:20000/up"],
    ["none", undefined, "starting"],
  ] as const)("a check %s with scheme %s", (health, scheme, expected) => {
    expect(describeStart({ kind: "command", health, ...(scheme && { scheme }) }, BEGUN)).toBe(expected);
  });

  test("an IPv6 address is in brackets", () => {
    expect(describeStart({ kind: "command", health: "tcp" }, { ...BEGUN, host: "::1" })).toContain("[::1]:20000");
  });

  test("a reason is added, and before there is a process nothing is waited for", () => {
    const profile = { kind: "builtin", health: "/healthz" } as const;
    expect(describeStart(profile, { ...BEGUN, reason: "exited with code 3" })).toBe("starting: exited with code 3");
    expect(describeStart(profile, { ...BEGUN, gateway: null })).toBe("starting");
  });
});
