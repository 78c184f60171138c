import { SocketAddress, isIPv4, isIPv6 } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalAddress, canonicalBytes } from "../../src/host/canonical-address.ts";

const byte = fc.oneof(fc.constant(0), fc.constant(255), fc.integer({ min: 0, max: 255 }));

/** The spelling of Node, which asks the C library. */
function spelt(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}

describe("canonicalBytes", () => {
  test("spells every IPv6 address as Node does, except mapped ones, which become IPv4", () => {
    fc.assert(
      fc.property(fc.array(byte, { minLength: 16, maxLength: 16 }), (bytes) => {
        const address = spelt(bytes);
        const mapped = address.startsWith("::ffff:") && address.includes(".");
        expect(canonicalBytes(bytes)).toEqual(
          mapped ? { family: 4, address: address.slice("::ffff:".length) } : { family: 6, address },
        );
      }),
    );
  });

  test.each([
    [[], "::"],
    [[15], "::1"],
    [[0, 15], "100::1"],
    [[10, 11, 12, 13, 14, 15], "127.0.0.1"],
  ])("bytes %j", (set, expected) => {
    const bytes = Array.from({ length: 16 }, (_, at) => (set.includes(at) ? 1 : 0));
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1];
    expect(canonicalBytes(set.length > 2 ? mapped : bytes).address).toBe(expected);
  });
});

describe("canonicalAddress", () => {
  test.each(["[::1]", "::1", "0:0:0:0:0:0:0:1", "::1%lo"])("%s is ::1", (host) => {
    expect(canonicalAddress(host)).toEqual({ family: 6, address: "::1" });
  });

  test("distinguishes an address from a name where Node does", () => {
    const dotted = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.stringMatching(/^[0-9a-f.:]{0,4}$/)),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(fc.tuple(dotted, fc.constantFrom(".", ":")), ([parts, glue]) => {
        const host = parts.join(glue);
        expect(canonicalAddress(host) !== undefined).toBe(isIPv4(host) || isIPv6(host));
      }),
    );
    for (const host of ["1.2.3.4.", "01.2.3.4", "1.2.3", "256.1.1.1", "localhost", "a.example", ""])
      expect(canonicalAddress(host), host).toBeUndefined();
  });
});
