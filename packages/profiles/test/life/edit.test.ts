import { acquireGatewayLock } from "@lockkeeper/core";
import { ownIdentity } from "@lockkeeper/core/internal";
import * as fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { ProfilesContext } from "../../src/context.ts";
import { createProfile } from "../../src/life/create.ts";
import { editProfile } from "../../src/life/edit.ts";
import type { EditOptions } from "../../src/life/edited-manifest.ts";
import type { Manifest } from "../../src/manifest.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import type { ProfileObservation } from "../../src/status/observe-profile.ts";
import { observeKept } from "../../src/status/observed-state.ts";
import { hasPendingChange, settingsMark } from "../../src/status/pending-change.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { runOf } from "../published-run.ts";
import { pathsOf, scratchContext } from "./scratch-context.ts";

async function withApi(): Promise<{ context: ProfilesContext; edit: (options: EditOptions) => Promise<Manifest> }> {
  const context = scratchContext();
  await createProfile(context.home, {
    name: "api",
    argv: ["node", "server.js", "--port", "{port}"],
    env: { MODE: "test", TOKEN: "s3cret" },
    passEnv: ["EDITOR"],
    extraPorts: { metrics: 1 },
    groups: ["prod"],
    health: "/ready",
    hooks: { failed: "/bin/true", ready: "/bin/false" },
  });
  const edit = async (options: EditOptions): Promise<Manifest> => {
    await editProfile(context, "api", options);
    return apiOf(context);
  };
  return { context, edit };
}

function apiOf({ home }: ProfilesContext): Manifest {
  const manifest = readRegistry(home).get("api");
  if (manifest === undefined) throw new Error("api is gone");
  return manifest;
}

const registryText = ({ home }: ProfilesContext): string => fs.readFileSync(path.join(home, "registry.json"), "utf8");

test("reports what changes, and writes it", async () => {
  const { context } = await withApi();
  const before = apiOf(context);
  const options = { stopTimeoutMs: 60_000, health: "none", argv: ["true"], cwd: path.dirname(context.home) };
  expect(await editProfile(context, "api", options)).toEqual({
    profile: "api",
    changes: [
      { field: "health", from: "/ready", to: "none", kind: "changed" },
      { field: "command", from: before.command, to: ["true"], kind: "changed" },
      { field: "cwd", from: null, to: path.dirname(context.home), kind: "added" },
      { field: "stopTimeoutMs", from: null, to: 60_000, kind: "added" },
    ],
    dryRun: false,
    pending: false,
  });
  const { argv, ...rest } = options;
  expect(apiOf(context)).toEqual({ ...before, ...rest, command: argv });
});

test("values of variables and hooks are never shown", async () => {
  const { context } = await withApi();
  const result = await editProfile(context, "api", {
    env: { TOKEN: "0ther" },
    hooks: { failed: "https://user:pass@example.org/s3cret" },
  });
  expect(result.changes.map(({ field, kind }) => `${field} ${kind}`)).toEqual([
    "env.TOKEN changed",
    "hooks.failed changed",
    "hooks.ready removed",
  ]);
  expect(JSON.stringify(result)).not.toMatch(/s3cret|0ther|example/);
});

test("variables are merged by name; other lists are replaced", async () => {
  const { edit } = await withApi();
  expect(await edit({ env: { MODE: "prod", EDITOR: "vi" }, passEnv: ["TOKEN"] })).toMatchObject({
    env: { MODE: "prod", EDITOR: "vi" },
    passEnv: ["TOKEN"],
  });
  expect(await edit({ groups: ["a", "b"], extraPorts: { debug: 2 } })).toMatchObject({ groups: ["a", "b"] });
  const { port, ports } = await edit({});
  expect(ports).toEqual({ gateway: port, debug: port + 2 });
});

test("an unset value is written nowhere", async () => {
  const { context, edit } = await withApi();
  const after = await edit({
    unset: ["env.TOKEN", "env.EDITOR", "group", "health", "hook.ready", "extra-port.metrics"],
  });
  expect(after).toMatchObject({ env: { MODE: "test" }, health: "tcp", hooks: { failed: "/bin/true" } });
  expect(after.ports).toEqual({ gateway: after.port });
  expect(after).not.toHaveProperty("groups");
  expect(after).not.toHaveProperty("passEnv");
  expect(await edit({ unset: ["env", "hook"] })).not.toHaveProperty("env");
  expect(registryText(context)).not.toMatch(/hooks|passEnv/);
  expect(await editProfile(context, "api", { unset: ["hook", "stop-timeout", "env.TOKEN"] })).toMatchObject({
    changes: [],
  });
});

test("a dry run reports the same and writes nothing", async () => {
  const { context } = await withApi();
  const before = registryText(context);
  const options = { unset: ["env.MODE"], memoryMaxBytes: 1024 ** 3 };
  const dry = await editProfile(context, "api", { ...options, dryRun: true });
  expect(registryText(context)).toBe(before);
  expect(await editProfile(context, "api", options)).toEqual({ ...dry, dryRun: false });
});

describe("refused as a whole: nothing of it is written", () => {
  test.each<[string, EditOptions, string]>([
    ["unknown word", { unset: ["colour"] }, "OPTION_INVALID"],
    ["entry of what has none", { unset: ["cwd.x"] }, "OPTION_INVALID"],
    ["unknown hook", { unset: ["hook.sometimes"] }, "OPTION_INVALID"],
    ["its program", { unset: ["argv"] }, "OPTION_INVALID"],
    ["set and unset", { env: { MODE: "x" }, unset: ["env.MODE"] }, "USAGE"],
    ["set and unset as a whole", { groups: ["x"], unset: ["group"] }, "USAGE"],
    ["placeholder", { argv: ["node", "{prot}"] }, "OPTION_INVALID"],
    ["placeholder outside of a narrower block", { argv: ["node", "{port+9}"], span: 5 }, "OPTION_INVALID"],
    ["named port outside of a narrower block", { span: 1 }, "OPTION_INVALID"],
    ["port", { port: "70000" }, "PORT_INVALID"],
    ["host", { host: "1.2.3.4:80" }, "OPTION_INVALID"],
    ["directory", { cwd: "/does/not/exist" }, "OPTION_INVALID"],
    ["env file", { envFile: "/does/not/exist" }, "OPTION_INVALID"],
    ["follower of itself", { after: ["api"] }, "OPTION_INVALID"],
    ["less than its other limit", { memoryRestartBytes: 2 ** 31, memoryMaxBytes: 2 ** 30 }, "OPTION_INVALID"],
  ])("%s", async (_, options, code) => {
    const { context } = await withApi();
    const before = registryText(context);
    const edit = editProfile(context, "api", { stopTimeoutMs: 1_000, ...options });
    await expect(edit).rejects.toMatchObject({ code });
    expect(registryText(context)).toBe(before);
  });

  test("a second limit is checked together with the first", async () => {
    const { edit } = await withApi();
    await edit({ memoryMaxBytes: 2 ** 30 });
    await expect(edit({ memoryRestartBytes: 2 ** 31 })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    expect(await edit({ memoryRestartBytes: 2 ** 31, unset: ["memory-max"] })).toMatchObject({
      memoryRestartBytes: 2 ** 31,
    });
  });
});

test("the block moves as a whole, to where it fits", async () => {
  const { context, edit } = await withApi();
  const { port } = await edit({ port: await freePort() });
  const other = await createProfile(context.home, { name: "other", port: port + 10 });
  await expect(edit({ port: other.port })).rejects.toMatchObject({ code: "PORTS_OVERLAP" });
  await expect(edit({ span: 20 })).rejects.toMatchObject({ code: "PORTS_OVERLAP" });
  expect(await edit({ port: port + 20, span: 20 })).toMatchObject({
    port: port + 20,
    span: 20,
    ports: { gateway: port + 20, metrics: port + 21 },
  });
});

test("a default check follows the scheme; a chosen one stays", async () => {
  const { context, edit } = await withApi();
  expect(await edit({ scheme: "https" })).toMatchObject({ scheme: "https", health: "/ready" });
  expect(await edit({ unset: ["health"] })).toMatchObject({ health: "http" });
  const bare = await edit({ unset: ["scheme"] });
  expect(bare).toMatchObject({ health: "tcp" });
  expect(bare).not.toHaveProperty("scheme");
  expect(await edit({ scheme: "http" })).toMatchObject({ health: "http" });
  expect(await edit({ scheme: "ws" })).toMatchObject({ scheme: "ws", health: "tcp" });
  expect(await edit({ unset: ["health", "scheme"] })).toMatchObject({ health: "tcp" });
  const made = await createProfile(context.home, { name: "web", argv: ["true"], scheme: "http" });
  expect(made).toMatchObject({ scheme: "http", health: "http" });
  expect(await createProfile(context.home, { name: "dev", scheme: "http" })).toMatchObject({ health: "/healthz" });
});

test("a lock that is held keeps the ports; everything else may change, and takes effect later", async () => {
  const { context, edit } = await withApi();
  const { lock, config } = pathsOf(context, "api");
  const held = await acquireGatewayLock({ lockDir: lock, configPath: config });
  try {
    for (const options of [
      { port: 30_000 },
      { host: "0.0.0.0" },
      { span: 30 },
      { lease: "etcd://h:1/k" },
      { lease: "etcd://h:1/k", groups: ["x"] },
    ]) {
      const before = registryText(context);
      await expect(edit(options)).rejects.toMatchObject({ code: "PROFILE_RUNNING" });
      expect(registryText(context)).toBe(before);
    }
    expect(await edit({ env: { MODE: "prod" } })).toMatchObject({ env: { MODE: "prod" } });
  } finally {
    await held.release();
  }
  expect(await edit({ host: "0.0.0.0" })).toMatchObject({ host: "0.0.0.0" });
});

test("an adopted gateway keeps its own settings", async () => {
  const context = scratchContext();
  const before = await createProfile(context.home, { name: "claw", kind: "openclaw" });
  const result = await editProfile(context, "claw", {
    argv: ["/opt/openclaw"],
    extraPorts: { voice: 112 },
    health: "/startupz",
  });
  const after = readRegistry(context.home).get("claw");
  expect(after?.ports).toEqual({ ...before.ports, voice: before.port + 112 });
  expect(result.changes.map(({ field }) => field)).toEqual(["ports", "health", "command"]);
  await editProfile(context, "claw", { unset: ["argv", "extra-port", "health"] });
  expect(readRegistry(context.home).get("claw")).toEqual(before);
});

test("of a hundred concurrent edits none is lost", async () => {
  const { context } = await withApi();
  await Promise.all(
    Array.from({ length: 100 }, (_, index) => editProfile(context, "api", { env: { [`N${index}`]: String(index) } })),
  );
  expect(Object.keys(apiOf(context).env ?? {})).toHaveLength(102);
});

test("a field of a newer version stays", async () => {
  const { context, edit } = await withApi();
  const newer = { ...apiOf(context), colour: "red" };
  await changeRegistry(context.home, ({ commit }) => commit([newer]));
  expect(await edit({ env: { A: "1" } })).toMatchObject({ colour: "red", env: { A: "1" } });
});

test("a change waits for the next start of the run that was started before it, as far as its keeper told its settings", async () => {
  const { context, edit } = await withApi();
  const manifest = apiOf(context);
  const keeper = ownIdentity();
  const observe = (settings?: string): ProfileObservation => {
    const record = runOf(manifest, { keeper, ...(settings === undefined ? {} : { settings }) });
    return { manifest: apiOf(context), record, observed: observeKept(record) };
  };
  const before = settingsMark(manifest);
  expect(hasPendingChange(observe(before))).toBe(false);
  for (const value of ["prod", "tesu", "tset"]) {
    await edit({ env: { MODE: value } });
    expect(hasPendingChange(observe(before)), value).toBe(true);
  }
  // A keeper that is too old to tell.
  expect(hasPendingChange(observe())).toBe(false);
});

test("the mark of settings is the same for the same settings, in any order", async () => {
  const { context, edit } = await withApi();
  const before = settingsMark(apiOf(context));
  const changed = await edit({ env: { MODE: "prod" }, passEnv: ["TOKEN"] });
  expect(settingsMark(changed)).not.toBe(before);
  const back = await edit({ env: { TOKEN: "s3cret", MODE: "test" } });
  expect(settingsMark(back)).toBe(before);
  expect(settingsMark(await edit({ protected: true, groups: ["x"], after: ["db"] }))).toBe(before);
});
