import { describe, expect, test } from "vitest";
import { formatLease, parseLease } from "../../src/life/lease-text.ts";
import { createProfile } from "../../src/life/create.ts";
import { completeManifest } from "../../src/manifest.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { manifest, scratchHome } from "../scratch-home.ts";

const ASKED = {
  portEnv: false,
  scheme: "https",
  stopTimeoutMs: 90_000,
  groups: ["prod", "@eu"],
  after: ["db"],
  end: "all",
  memoryRestartBytes: 2 * 1024 ** 3,
  memoryMaxBytes: 4 * 1024 ** 3,
  restartUnresponsiveMs: 60_000,
  hooks: { failed: "/usr/bin/true", ready: "https://example.org/x", blocked: "env:HOOK_URL" },
  lease: "etcd://h1:2379,h2:2379/lockkeeper/prod",
} as const;

test("every optional setting is stored, and read back from the registry", async () => {
  const home = scratchHome();
  await createProfile(home, { name: "api", argv: ["true"], ...ASKED });
  expect(readRegistry(home).get("api")).toMatchObject({
    ...ASKED,
    groups: ["prod", "eu"],
    lease: parseLease(ASKED.lease),
  });
});

test("an option that was not given is stored nowhere", async () => {
  const home = scratchHome();
  const made = await createProfile(home, { name: "dev" });
  for (const field of Object.keys(ASKED)) expect(made).not.toHaveProperty(field);
});

describe("refused, and nothing is written", () => {
  test.each<[string, object]>([
    ["scheme", { scheme: "ftp" }],
    ["end", { end: "some" }],
    ["no time", { stopTimeoutMs: 0 }],
    ["time of no timer", { stopTimeoutMs: 2 ** 31 }],
    ["half a millisecond", { restartUnresponsiveMs: 0.5 }],
    ["group", { groups: ["Prod"] }],
    ["group of two words", { groups: ["a b"] }],
    ["after itself", { after: ["api"] }],
    ["memory", { memoryMaxBytes: 1000 }],
    ["restart above the most", { memoryRestartBytes: 3 * 1024 ** 3, memoryMaxBytes: 2 * 1024 ** 3 }],
    ["event", { hooks: { sometimes: "/bin/true" } }],
    ["relative hook", { hooks: { failed: "tell-me" } }],
    ["hook of another protocol", { hooks: { failed: "ftp://example.org" } }],
    ["hook from no variable", { hooks: { failed: "env:A-B" } }],
    ["lease of another store", { lease: "redis://h:1/k" }],
  ])("%s", async (_, options) => {
    const home = scratchHome();
    const code = { code: "OPTION_INVALID" };
    await expect(createProfile(home, { name: "api", argv: ["true"], ...options })).rejects.toMatchObject(code);
    expect(readRegistry(home).size).toBe(0);
  });
});

test.each([
  ["etcd://h1:2379/k", { endpoints: ["http://h1:2379"], key: "k", ttlSeconds: 30, standby: true }],
  [
    "etcds://[::1]:2379,h:1/a/b?ttl=10s&standby=no",
    { endpoints: ["https://[::1]:2379", "https://h:1"], ttlSeconds: 10 },
  ],
  ["etcd://h1:2379/k?credentials=%2Fa%20b", { credentialsFile: "/a b" }],
])("%s is a lease, and is written as it was given", (text, parts) => {
  expect(parseLease(text)).toMatchObject(parts);
  expect(formatLease(parseLease(text))).toBe(text);
});

test.each([
  "etcd://h1/k",
  "etcd://h1:2379",
  "etcd://h1:2379/k?ttl=9s",
  "etcd://h1:2379/k?colour=red",
  "etcd://h:1/k?credentials=x",
  "etcd://h:1/a b",
  "etcd://h:1/a\u0000b",
  `etcd://h:1/${"k".repeat(513)}`,
  "etcd://h:1,h:1/k",
  "etcd://h:70000/k",
  "etcd://h:1/k?ttl=2h",
  "etcd://root:hunter2@h:1/k",
])("%s is not a lease, and its password is not repeated", (text) => {
  const refused = expect.objectContaining({ code: "OPTION_INVALID", message: expect.not.stringContaining("hunter2") });
  expect(() => parseLease(text)).toThrow(refused);
});

test.each<[string, unknown]>([
  ["stopTimeoutMs", "10s"],
  ["stopTimeoutMs", -1],
  ["scheme", "ftp"],
  ["groups", "prod"],
  ["after", [1]],
  ["end", true],
  ["memoryMaxBytes", 1.5],
  ["hooks", ["failed"]],
  ["lease", { engine: "etcd", endpoints: [] }],
  ["portEnv", "no"],
])("a registry with %s %j is damaged, and the error names the place", (field, value) => {
  const { paths: _, ...written } = manifest("/nowhere", "dev", 20_000);
  expect(completeManifest("/nowhere", { ...written, [field]: value })).toMatch(new RegExp(`^${field}: expected `));
});
