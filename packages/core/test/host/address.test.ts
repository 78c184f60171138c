import { expect, test } from "vitest";
import { gatewayUrl, isLoopbackHost, isWildcardHost, reachableHost } from "../../src/host/address.ts";

test("a URL has brackets around IPv6 addresses only", () => {
  expect(gatewayUrl("127.0.0.1", 18789)).toBe("ws://127.0.0.1:18789");
  expect(gatewayUrl("::1", 18789)).toBe("ws://[::1]:18789");
  expect(gatewayUrl("box.lan", 1)).toBe("ws://box.lan:1");
});

test("a wildcard is reached at the loopback address of its family", () => {
  expect(["0.0.0.0", "::", "127.0.0.1", "::1", "192.168.1.5"].map(reachableHost)).toEqual([
    "127.0.0.1",
    "::1",
    "127.0.0.1",
    "::1",
    "192.168.1.5",
  ]);
});

test("only addresses that mean every address are wildcards", () => {
  const wildcards = [
    "0.0.0.0",
    "0",
    "0x0",
    "0.0",
    "00.0x00.0",
    "::",
    "0::0",
    "::0.0.0.0",
    "::%eth0",
    "0:0:0:0:0:0:0:0",
  ];
  const mapped = ["::ffff:0.0.0.0", "::ffff:0:0", "::FFFF:0.0.0.0", "0:0:0:0:0:ffff:0:0"];
  expect([...wildcards, ...mapped].filter((host) => !isWildcardHost(host))).toEqual([]);
  const others = [
    "127.0.0.1",
    "::1",
    "localhost",
    "0.0.0.1",
    "0x1",
    "0.0.0.0.0",
    "x0",
    "::ffff:127.0.0.1",
    "fe80::",
    "1::",
  ];
  expect(others.filter(isWildcardHost)).toEqual([]);
});

test("only addresses that this machine alone can reach are loopback", () => {
  const ours = [
    "127.0.0.1",
    "127.1",
    "127.9.8.7",
    "localhost",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
  ];
  const others = [
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "::2",
    "1::1",
    "::ffff:10.0.0.1",
    "::ffff:8f00:1",
    "127.example.org",
    "fe80::1",
  ];
  expect(ours.filter((host) => !isLoopbackHost(host))).toEqual([]);
  expect(others.filter(isLoopbackHost)).toEqual([]);
});
