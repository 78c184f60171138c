import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findLeaseFault, formatLeaseAddress, parseLeaseAddress } from "../../src/lease/lease-address.ts";

describe("the address of a lease", () => {
  it("names endpoints and a key; the rest is usual", () => {
    expect(parseLeaseAddress("etcd://h1:2379,h2,[::1]:2381/lockkeeper/prod")).toEqual({
      engine: "etcd",
      endpoints: ["http://h1:2379", "http://h2:2379", "http://[::1]:2381"],
      key: "lockkeeper/prod",
      ttlSeconds: 30,
      standby: true,
    });
  });

  it("takes TLS, a time to live, no standby and a file of credentials", () => {
    expect(parseLeaseAddress("etcds://h1:443/k?ttl=2m&standby=no&credentials=/etc/lk/etcd.json")).toEqual({
      engine: "etcd",
      endpoints: ["https://h1:443"],
      key: "k",
      ttlSeconds: 120,
      standby: false,
      credentialsFile: "/etc/lk/etcd.json",
    });
  });

  it.each([
    "",
    "h1:2379/key",
    "http://h1:2379/key",
    "etcd://h1:2379",
    "etcd://h1:2379/",
    "etcd:///key",
    "etcd://h1:2379,/key",
    "etcd://h1,h1:2379/key",
    "etcd://h1:0/key",
    "etcd://h1:70000/key",
    "etcd://h 1/key",
    "etcd://h1/a b",
    "etcd://h1/%zz",
    "etcd://h1/a%00b",
    `etcd://h1/${"k".repeat(513)}`,
    "etcd://h1/key?ttl=9",
    "etcd://h1/key?ttl=3601",
    "etcd://h1/key?ttl=10.5",
    "etcd://h1/key?ttl=1h",
    "etcd://h1/key?standby=maybe",
    "etcd://h1/key?credentials=etcd.json",
    "etcd://h1/key?tls=yes",
    "etcd://h1/key#part",
  ])("refuses %j", (text) => {
    expect(() => parseLeaseAddress(text)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });

  it("refuses a password and does not repeat it", () => {
    let said = "";
    try {
      parseLeaseAddress("etcd://root:hunter2@h1:2379/key");
    } catch (error) {
      said = String(error);
    }
    expect(said).toMatch(/a password do not belong/u);
    expect(said).not.toMatch(/hunter2/u);
  });

  it("is written as it is read", () => {
    const settings = fc.record({
      hosts: fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 5 }),
      key: fc.stringMatching(/^[!-~é€]{1,60}$/u),
      ttlSeconds: fc.integer({ min: 10, max: 3_600 }),
      standby: fc.boolean(),
      isTls: fc.boolean(),
      file: fc.option(fc.stringMatching(/^\/[ -~]{1,40}$/u)),
    });
    fc.assert(
      fc.property(settings, ({ hosts, key, ttlSeconds, standby, isTls, file }) => {
        const lease = {
          engine: "etcd" as const,
          endpoints: hosts.map((port) => `${isTls ? "https" : "http"}://h${port}:${port}`),
          key,
          ttlSeconds,
          standby,
          ...(file === null ? {} : { credentialsFile: file }),
        };
        expect(parseLeaseAddress(formatLeaseAddress(lease))).toEqual(lease);
        expect(findLeaseFault(JSON.parse(JSON.stringify(lease)))).toBeUndefined();
      }),
    );
  });

  it("as a value out of a file is checked field by field", () => {
    const good = parseLeaseAddress("etcd://h1/key");
    const spoiled: readonly unknown[] = [
      null,
      "etcd://h1/key",
      { ...good, engine: "consul" },
      { ...good, endpoints: [] },
      { ...good, endpoints: ["ftp://h1"] },
      { ...good, key: "" },
      { ...good, ttlSeconds: 3 },
      { ...good, standby: "yes" },
      { ...good, credentialsFile: 1 },
    ];
    for (const value of spoiled) expect(findLeaseFault(value)).toEqual(expect.any(String));
  });
});
