import * as fs from "node:fs";
import { expect, test } from "vitest";
import { changeConfig, readConfig } from "../../src/config/config-edit.ts";
import { createProfile } from "../../src/life/create.ts";
import { homePaths } from "../../src/profile-paths.ts";
import { readGatewaySettings } from "../../src/settings/gateway-settings.ts";
import { readSettings } from "../../src/settings/settings.ts";
import { pathsOf, scratchContext } from "../life/scratch-context.ts";

test("reading shows every setting, both set values and defaults, and creates nothing", async () => {
  const context = scratchContext();
  const { entries, profile, path } = await readConfig(context);
  expect({ profile, path }).toEqual({ profile: null, path: homePaths(context.home).settings });
  expect(entries.find(({ key }) => key === "poolFirst")).toMatchObject({ value: 18_789, set: "default" });
  expect(fs.existsSync(context.home)).toBe(false);
});

test("a change is shown as a diff; a dry run writes nothing; the same value is no change", async () => {
  const context = scratchContext();
  const request = { key: "poolFirst", value: "20000" };
  const diff = ["- poolFirst: 18789", "+ poolFirst: 20000"];
  expect(await changeConfig(context, { ...request, dryRun: true })).toMatchObject({ outcome: "would-change", diff });
  expect(readSettings(context.home).poolFirst).toBe(18_789);
  expect(await changeConfig(context, request)).toMatchObject({ outcome: "changed", diff, takesEffect: "now" });
  expect(await changeConfig(context, request)).toMatchObject({ outcome: "unchanged", diff: [] });
  expect(readSettings(context.home).poolFirst).toBe(20_000);
  expect((await readConfig(context, { key: "poolFirst" })).entries).toMatchObject([{ value: 20_000, set: "yes" }]);
});

test.each([
  ["an unknown key, with the nearest", "poolFrist", "1", /^Did you mean poolFirst/],
  ["a text for a number", "poolFirst", "abc", /first port/],
  ["a number out of range", "poolFirst", "70000", /first port/],
  ["an empty pool", "poolFirst", "40000", /other end/],
  ["what `use` is for", "defaultProfile", "dev", /^The command use sets it/],
])("refuses %s", async (_, key, value, hint) => {
  const context = scratchContext();
  await expect(changeConfig(context, { key, value })).rejects.toMatchObject({
    code: "OPTION_INVALID",
    hint: expect.stringMatching(hint) as string,
  });
  expect(readSettings(context.home).poolFirst).toBe(18_789);
});

test("a built-in gateway's config takes numbers, and lists by commas or as JSON", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  const set = (key: string, value: string): Promise<unknown> => changeConfig(context, { profile: "dev", key, value });
  expect(await set("allowedHosts", "a.example, b.example")).toMatchObject({
    outcome: "changed",
    diff: ['+ allowedHosts: ["a.example","b.example"]'],
    takesEffect: "next-start",
  });
  await set("allowedOrigins", '["https://app.example"]');
  await set("heartbeatMs", "500");
  expect(readGatewaySettings(pathsOf(context, "dev").config)).toEqual({
    allowedHosts: ["a.example", "b.example"],
    allowedOrigins: ["https://app.example"],
    heartbeatMs: 500,
  });
  await expect(set("allowedOrigins", "*")).rejects.toMatchObject({ code: "OPTION_INVALID" });
  await expect(set("allowedOrigins", "[")).rejects.toMatchObject({ code: "OPTION_INVALID" });
});

test("a damaged config is reported with its place and kept", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  const { config } = pathsOf(context, "dev");
  fs.writeFileSync(config, "{,");
  const request = { profile: "dev", key: "heartbeatMs", value: "1" };
  await expect(changeConfig(context, request)).rejects.toMatchObject({ code: "CONFIG_DAMAGED" });
  expect(fs.readFileSync(config, "utf8")).toBe("{,");
});

test("an OpenClaw config is read without its secrets and never written", async () => {
  const context = scratchContext();
  const { port } = await createProfile(context.home, { name: "oc", kind: "openclaw" });
  const { config } = pathsOf(context, "oc");
  const text = `{ gateway: { port: ${port}, auth: { token: "s3cret" } }, list: [{ apiKey: "s3cret", id: 1 }], /* kept */ }`;
  fs.writeFileSync(config, text);
  const { entries } = await readConfig(context, { profile: "oc" });
  expect(entries.map(({ key, value }) => [key, value])).toEqual([
    ["gateway.port", port],
    ["gateway.auth.token", "(hidden)"],
    ["list", [{ id: 1 }]],
  ]);
  expect((await readConfig(context, { profile: "oc", key: "gateway.port" })).entries).toHaveLength(1);
  await expect(readConfig(context, { profile: "oc", key: "nothing" })).rejects.toMatchObject({
    code: "OPTION_INVALID",
  });
  await expect(changeConfig(context, { profile: "oc", key: "gateway.port", value: "1" })).rejects.toMatchObject({
    code: "OPTION_INVALID",
    hint: "Let its program do it: lockkeeper exec oc -- openclaw config set KEY VALUE",
  });
  expect(fs.readFileSync(config, "utf8")).toBe(text);
});

test("a command gateway's config is its own", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "api", argv: ["node", "x.js"] });
  await expect(readConfig(context, { profile: "api" })).rejects.toMatchObject({ code: "OPTION_INVALID" });
});
