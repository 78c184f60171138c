import { acquireGatewayLock } from "@lockkeeper/core";
import * as fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { importGateways } from "../../src/adopt/import.ts";
import { withoutSecrets } from "../../src/secrets.ts";
import { createProfile } from "../../src/life/create.ts";
import { cloneProfile } from "../../src/life/clone.ts";
import type { CopyProgress } from "../../src/life/copy-tree.ts";
import { reasonToLeave } from "../../src/life/left-behind.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { changeConfig } from "../../src/config/config-edit.ts";
import { openClawHost, treeHash } from "../openclaw-host.ts";
import { filesIn, pathsOf, put, scratchContext } from "./scratch-context.ts";

const STATE = {
  "sessions/a.jsonl": "a",
  "credentials/whatsapp/creds.json": "secret",
  "agents/main/agent/auth-profiles.json": "secret",
  "identity/device.json": "who",
  "devices/paired.json": "who",
  "cron/jobs.json": "when",
  "tmp/openclaw-0/gateway.state.lock": "{}",
  "logs/today.log": "log",
  "run.pid": "1",
  ".env": "TOKEN=1",
  "data.sqlite": "db",
  "tool.sh": "#!/bin/sh",
};

test("a clone has its own ports, token and folders, and no credentials, identities or schedules", async () => {
  const context = scratchContext();
  const { home } = context;
  await createProfile(home, { name: "dev", kind: "openclaw", env: { MODE: "x", API_TOKEN: "t" }, protected: true });
  const from = pathsOf(context, "dev");
  put(from.state, STATE);
  fs.chmodSync(path.join(from.state, "tool.sh"), 0o755);
  put(from.workspace, { "notes.md": "n", "yarn.lock": "kept", "logs/x.log": "kept", ".env": "TOKEN=1" });
  fs.symlinkSync("/etc", path.join(from.workspace, "etc"));
  const config = JSON.parse(fs.readFileSync(from.config, "utf8")) as Record<string, unknown>;
  fs.writeFileSync(
    from.config,
    `// mine\n${JSON.stringify({ ...config, channels: { telegram: { botToken: "1:abc", enabled: true } } })}`,
  );
  const rooms = (): string[] => [from.state, from.workspace, path.dirname(from.config)].map(treeHash);
  const before = rooms();
  const told: CopyProgress[] = [];

  const { status, copied, leftBehind } = await cloneProfile(context, "dev", "copy", {
    onProgress: (progress) => told.push(progress),
  });

  const to = pathsOf(context, "copy");
  const [original, clone] = ["dev", "copy"].map((name) => readRegistry(home).get(name));
  expect(status).toMatchObject({ name: "copy", state: "stopped", protected: false, kind: "openclaw" });
  expect(clone?.port).toBeGreaterThanOrEqual((original?.port ?? 0) + (original?.span ?? 0));
  expect(clone?.ports).toEqual({
    gateway: clone?.port,
    "mcp-apps": (clone?.port ?? 0) + 1,
    "browser-control": (clone?.port ?? 0) + 2,
    "extension-relay": (clone?.port ?? 0) + 10,
    cdp: (clone?.port ?? 0) + 11,
  });
  expect(clone?.env).toEqual({ MODE: "x" });
  expect(filesIn(to.state)).toEqual(["sessions/a.jsonl", "tool.sh"]);
  expect(filesIn(to.workspace)).toEqual(["logs/x.log", "notes.md", "yarn.lock"]);
  expect(fs.statSync(path.join(to.state, "sessions/a.jsonl")).mode & 0o777).toBe(0o600);
  expect(fs.statSync(path.join(to.state, "tool.sh")).mode & 0o777).toBe(0o700);
  expect(fs.statSync(path.join(to.state, "sessions")).mode & 0o777).toBe(0o700);
  const tokens = [from, to].map(({ token }) => fs.readFileSync(token, "utf8"));
  expect(tokens[0]).not.toBe(tokens[1]);
  expect(JSON.parse(fs.readFileSync(to.config, "utf8"))).toEqual({
    gateway: {
      mode: "local",
      bind: "loopback",
      port: clone?.port,
      auth: { mode: "token", token: tokens[1]?.trim() },
    },
    agents: { defaults: { workspace: to.workspace } },
    channels: { telegram: { enabled: true } },
  });
  expect(leftBehind.map(({ kind, what }) => `${kind} ${what}`).sort()).toEqual([
    "credentials config: channels.telegram.botToken",
    "credentials config: gateway.auth.token",
    "credentials env: API_TOKEN",
    "credentials state/.env",
    "credentials state/agents/main/agent/auth-profiles.json",
    "credentials state/credentials",
    "credentials workspace/.env",
    "databases state/data.sqlite",
    "devices state/devices",
    "devices state/identity",
    "links workspace/etc",
    "locks state/run.pid",
    "locks state/tmp",
    "logs state/logs",
    "schedules state/cron",
  ]);
  expect(copied).toEqual({ files: 5, bytes: 1 + 9 + 1 + 4 + 4 });
  expect(told[0]).toEqual({ files: 0, totalFiles: 5, bytes: 0, totalBytes: copied.bytes });
  expect(told.at(-1)).toEqual({ files: 5, totalFiles: 5, bytes: copied.bytes, totalBytes: copied.bytes });
  expect(rooms()).toEqual(before);
  expect(fs.existsSync(path.join(home, "staging"))).toBe(false);
});

test("named parts are copied", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  put(pathsOf(context, "dev").state, STATE);
  await cloneProfile(context, "dev", "copy", { include: ["credentials", "schedules"] });
  expect(filesIn(pathsOf(context, "copy").state)).toEqual([
    ".env",
    "agents/main/agent/auth-profiles.json",
    "credentials/whatsapp/creds.json",
    "cron/jobs.json",
    "sessions/a.jsonl",
    "tool.sh",
  ]);
  for (const include of [["everything"], ["links"]]) {
    await expect(cloneProfile(context, "dev", "third", { include })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  }
});

test("a built-in gateway's settings are copied", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  await changeConfig(context, { profile: "dev", key: "heartbeatMs", value: "1234" });
  await cloneProfile(context, "dev", "copy");
  expect(JSON.parse(fs.readFileSync(pathsOf(context, "copy").config, "utf8"))).toEqual({ heartbeatMs: 1234 });
});

test("an adopted gateway is cloned into a folder of ours; config and workspace inside its state get folders of their own", async () => {
  const { context, userHome, put: putAtHome } = openClawHost();
  putAtHome({
    ".openclaw/openclaw.json": "{ gateway: { port: 31789, bind: 'loopback' } }",
    ".openclaw/workspace/notes.md": "n",
    ".openclaw/sessions/a": "a",
  });
  const theirs = path.join(userHome, ".openclaw");
  const before = treeHash(theirs);
  const adopted = pathsOf(context, "mine");
  await changeRegistry(context.home, ({ commit }) =>
    commit([
      {
        schemaVersion: 1,
        name: "mine" as never,
        kind: "openclaw",
        host: "127.0.0.1",
        port: 31_789,
        span: 111,
        ports: { gateway: 31_789 },
        env: { OPENCLAW_PROFILE: "mine" },
        health: "/healthz",
        protected: false,
        createdAt: "2026-01-01T00:00:00.000Z",
        paths: { ...adopted, state: theirs, config: `${theirs}/openclaw.json`, workspace: `${theirs}/workspace` },
      },
    ]),
  );
  await cloneProfile(context, "mine", "copy");
  const clone = readRegistry(context.home).get("copy");
  expect(clone?.paths).toEqual(pathsOf(context, "copy"));
  expect(clone?.env).toBeUndefined();
  expect(filesIn(clone?.paths.state ?? "")).toEqual(["sessions/a"]);
  expect(filesIn(clone?.paths.workspace ?? "")).toEqual(["notes.md"]);
  expect(treeHash(theirs)).toBe(before);
});

/** What OpenClaw's own `onboard` and `config set` leave in a state directory. */
const onboarded = (home: string): Record<string, string> => ({
  ".openclaw-work/openclaw.json": JSON.stringify({
    gateway: { mode: "local", port: 31_789, auth: { mode: "token", token: "original-token-1234" } },
    channels: { $include: "./channels.json5" },
    agents: {
      defaults: { workspace: "~/.openclaw-work/workspace" },
      entries: {
        main: {
          workspace: path.join(home, ".openclaw-work/workspace"),
          agentDir: path.join(home, ".openclaw-work/agents/main/agent"),
        },
      },
    },
  }),
  ".openclaw-work/channels.json5": "{ telegram: { botToken: '12345:abcdef', enabled: true } }",
  ".openclaw-work/openclaw.json.bak.1": '{"gateway":{"auth":{"token":"original-token-1234"}}}',
  ".openclaw-work/openclaw.json.last-good": "{}",
  ".openclaw-work/openclaw.json.clobbered.2026-11-26": "{}",
  ".openclaw-work/notes/found.txt": "the token is original-token-1234, the bot's 12345:abcdef",
  ".openclaw-work/cache/control-ui-assets/a.js": "big",
  ".openclaw-work/workspace/notes.md": "n",
});

test("a clone of an onboarded gateway holds no secret of the original in any file, and no path into it", async () => {
  const host = openClawHost();
  host.put(onboarded(host.userHome));
  const theirs = path.join(host.userHome, ".openclaw-work");
  const before = treeHash(theirs);
  await importGateways(host.context, "openclaw", { name: "work", roots: host.roots });
  const { leftBehind } = await cloneProfile(host.context, "work", "copy");
  const to = pathsOf(host.context, "copy");

  for (const file of filesIn(to.profile)) {
    const text = fs.readFileSync(path.join(to.profile, file), "utf8");
    expect(text, file).not.toContain("original-token-1234");
    expect(text, file).not.toContain("12345:abcdef");
    expect(text, file).not.toContain(".openclaw-work");
  }
  expect(JSON.parse(fs.readFileSync(to.config, "utf8"))).toMatchObject({
    channels: { telegram: { enabled: true } },
    agents: {
      defaults: { workspace: to.workspace },
      entries: { main: { workspace: to.workspace, agentDir: path.join(to.state, "agents/main/agent") } },
    },
  });
  expect(filesIn(to.state)).toEqual([]);
  expect(leftBehind.map(({ kind, what }) => `${kind} ${what}`).sort()).toEqual([
    "caches state/cache",
    "credentials config: channels.telegram.botToken",
    "credentials config: gateway.auth.token",
    "credentials state/channels.json5",
    "credentials state/notes/found.txt",
    "credentials state/openclaw.json.bak.1",
    "credentials state/openclaw.json.clobbered.2026-11-26",
    "credentials state/openclaw.json.last-good",
  ]);
  expect(treeHash(theirs)).toBe(before);
});

test("a path into the original that cannot be rewritten is refused by the name of its setting", async () => {
  const host = openClawHost();
  const hook = `cd ${path.join(host.userHome, ".openclaw-work")}/hooks && ./run`;
  host.put({
    ".openclaw-work/openclaw.json": JSON.stringify({
      gateway: { mode: "local", port: 31_789 },
      hooks: { command: hook },
    }),
  });
  await importGateways(host.context, "openclaw", { name: "work", roots: host.roots });
  await expect(cloneProfile(host.context, "work", "copy")).rejects.toMatchObject({
    code: "DIRECTORY_SHARED",
    evidence: ["hooks.command"],
  });
  expect([...readRegistry(host.context.home).keys()]).toEqual(["work"]);
  expect(fs.existsSync(pathsOf(host.context, "copy").profile)).toBe(false);
});

describe("refuses, leaving nothing behind:", () => {
  test("a running original, an existing name, an invalid name, a state directory that is a link", async () => {
    const context = scratchContext();
    for (const name of ["dev", "prod"]) await createProfile(context.home, { name });
    const { lock: lockDir, config: configPath, state: stateDir } = pathsOf(context, "dev");
    const lock = await acquireGatewayLock({ lockDir, configPath });
    await expect(cloneProfile(context, "dev", "copy")).rejects.toMatchObject({ code: "PROFILE_RUNNING" });
    await lock.release();
    await expect(cloneProfile(context, "dev", "prod")).rejects.toMatchObject({ code: "PROFILE_EXISTS" });
    await expect(cloneProfile(context, "dev", "COPY")).rejects.toMatchObject({ code: "PROFILE_NAME_INVALID" });
    await expect(cloneProfile(context, "dev", "copy", { port: 70_000 })).rejects.toMatchObject({
      code: "PORT_INVALID",
    });
    fs.rmdirSync(stateDir);
    fs.symlinkSync("/etc", stateDir);
    await expect(cloneProfile(context, "dev", "copy")).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    expect([...readRegistry(context.home).keys()]).toEqual(["dev", "prod"]);
    expect(fs.existsSync(pathsOf(context, "copy").profile)).toBe(false);
    expect(fs.existsSync(path.join(context.home, "staging"))).toBe(false);
  });

  test("an interruption in the middle", async () => {
    const context = scratchContext();
    await createProfile(context.home, { name: "dev" });
    put(pathsOf(context, "dev").state, { a: "1", b: "2", c: "3" });
    const interrupt = new AbortController();
    const onProgress = ({ files }: CopyProgress): void => {
      if (files === 2) interrupt.abort();
    };
    const cloned = cloneProfile(context, "dev", "copy", { signal: interrupt.signal, onProgress });
    await expect(cloned).rejects.toMatchObject({ code: "ABORTED" });
    expect([...readRegistry(context.home).keys()]).toEqual(["dev"]);
    expect(fs.existsSync(path.join(context.home, "staging"))).toBe(false);
    await cloneProfile(context, "dev", "copy");
  });
});

test("names are judged by their meaning in their place", () => {
  expect(reasonToLeave("cookies.sqlite", "state")).toBe("credentials");
  expect(reasonToLeave("server.pem", "workspace")).toBe("credentials");
  expect(reasonToLeave("package-lock.json", "state")).toBeUndefined();
  expect(reasonToLeave("cron", "workspace")).toBeUndefined();
  expect(withoutSecrets({ a: [{ apiKey: "x", n: 1 }], maxTokens: 5, token: "" })).toEqual({
    clean: { a: [{ n: 1 }], maxTokens: 5, token: "" },
    dropped: ["a.0.apiKey"],
  });
});
