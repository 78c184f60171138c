import { acquireGatewayLock } from "@lockkeeper/core";
import * as fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
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

const state = {
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

test("a clone has ports, token and folders of its own, and neither credentials nor identities nor schedules", async () => {
  const context = scratchContext();
  const { home } = context;
  await createProfile(home, { name: "dev", kind: "openclaw", env: { MODE: "x", API_TOKEN: "t" }, protected: true });
  const from = pathsOf(context, "dev");
  put(from.state, state);
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

test("what is named is copied after all", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  put(pathsOf(context, "dev").state, state);
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

test("a built-in gateway's settings come along", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  await changeConfig(context, { profile: "dev", key: "heartbeatMs", value: "1234" });
  await cloneProfile(context, "dev", "copy");
  expect(JSON.parse(fs.readFileSync(pathsOf(context, "copy").config, "utf8"))).toEqual({ heartbeatMs: 1234 });
});

test("an adopted gateway is cloned into a folder of ours, its config and workspace out of its state", async () => {
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

describe("refuses, leaving nothing behind:", () => {
  test("a running original, an existing name, a malformed one, a state directory that is a link", async () => {
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

test("names are judged by what they mean in the place where they are", () => {
  expect(reasonToLeave("cookies.sqlite", "state")).toBe("credentials");
  expect(reasonToLeave("server.pem", "workspace")).toBe("credentials");
  expect(reasonToLeave("package-lock.json", "state")).toBeUndefined();
  expect(reasonToLeave("cron", "workspace")).toBeUndefined();
  expect(withoutSecrets({ a: [{ apiKey: "x", n: 1 }], maxTokens: 5, token: "" })).toEqual({
    clean: { a: [{ n: 1 }], maxTokens: 5, token: "" },
    dropped: ["a.0.apiKey"],
  });
});
