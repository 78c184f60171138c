import { acquireGatewayLock } from "@lockkeeper/core";
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../../../../test/harness/ports.ts";
import { diagnose } from "../../src/doctor/diagnose.ts";
import { createProfile } from "../../src/life/create.ts";
import { moveFolderInText } from "../../src/registry/follow-rename.ts";
import { movePath } from "../../src/life/moved-manifest.ts";
import { removeProfile } from "../../src/life/remove.ts";
import { renameProfile } from "../../src/life/rename.ts";
import { restoreProfile } from "../../src/life/restore.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { readSelection, useProfile } from "../../src/selection/selection.ts";
import { pathsOf, put, scratchContext } from "./scratch-context.ts";

test("folder, manifest, default and the paths in its config change together; ports and token stay", async () => {
  const context = scratchContext();
  const { home } = context;
  await createProfile(home, { name: "dev", kind: "builtin", env: { DATA: pathsOf(context, "dev").state } });
  put(path.dirname(pathsOf(context, "dev").config), {
    "gateway.json": JSON.stringify({ notes: `${pathsOf(context, "dev").workspace}/notes.md` }),
  });
  await useProfile(context, "dev");
  const before = readRegistry(home).get("dev");
  const token = fs.readFileSync(pathsOf(context, "dev").token, "utf8");
  put(pathsOf(context, "dev").state, { "sessions/a": "kept" });

  const { status } = await renameProfile(context, "dev", "staging");

  expect(status).toMatchObject({ name: "staging", current: true, state: "stopped", port: before?.port });
  expect([...readRegistry(home).keys()]).toEqual(["staging"]);
  const after = readRegistry(home).get("staging");
  const paths = pathsOf(context, "staging");
  expect(after).toEqual({ ...before, name: "staging", paths, env: { DATA: paths.state } });
  expect(fs.readFileSync(paths.token, "utf8")).toBe(token);
  expect(fs.readFileSync(path.join(paths.state, "sessions/a"), "utf8")).toBe("kept");
  expect(JSON.parse(fs.readFileSync(paths.config, "utf8"))).toEqual({ notes: path.join(paths.workspace, "notes.md") });
  expect(fs.existsSync(pathsOf(context, "dev").profile)).toBe(false);
  expect(fs.readdirSync(paths.lock).filter((name) => name.startsWith("gateway."))).toEqual([]);
  expect((await readSelection(context)).name).toBe("staging");
});

test("a gateway that remembers paths keeps its folder; the folder's first name stays reserved, and the rename can be undone", async () => {
  const context = scratchContext();
  const { home } = context;
  await createProfile(home, { name: "dev", kind: "openclaw" });
  const kept = pathsOf(context, "dev");
  put(kept.state, { "cron/jobs.json": "[]" });
  const inode = fs.statSync(kept.state).ino;

  const { status } = await renameProfile(context, "dev", "main");
  expect(status).toMatchObject({ name: "main", paths: kept });
  expect(JSON.parse(fs.readFileSync(path.join(home, "registry.json"), "utf8"))).toMatchObject({
    profiles: [{ name: "main", paths: { profile: "profiles/dev" } }],
  });
  expect(readRegistry(home).get("main")?.paths).toEqual(kept);
  expect(fs.statSync(kept.state).ino).toBe(inode);
  expect(fs.existsSync(pathsOf(context, "main").profile)).toBe(false);

  expect((await diagnose(context)).filter(({ code }) => code === "folder-unknown")).toEqual([]);
  const taken = { code: "PROFILE_EXISTS", message: expect.stringContaining("belongs to profile main") as string };
  await expect(createProfile(home, { name: "dev" })).rejects.toMatchObject(taken);
  const { trash } = await removeProfile(context, "main");
  expect(path.basename(trash)).toMatch(/^main\./);
  expect(await restoreProfile(context, "main")).toMatchObject({ name: "main", paths: kept });
  expect(fs.statSync(kept.state).ino).toBe(inode);

  await removeProfile(context, "main");
  await createProfile(home, { name: "dev", port: await freePort() });
  await expect(restoreProfile(context, "main")).rejects.toMatchObject({
    code: "PROFILE_EXISTS",
    message: expect.stringContaining("belongs to profile dev by now") as string,
  });
  await removeProfile(context, "dev");
  await restoreProfile(context, "main");
  expect((await renameProfile(context, "main", "dev")).status.paths).toEqual(kept);
  expect(fs.readFileSync(path.join(home, "registry.json"), "utf8")).not.toContain('"profile":"profiles');
});

test("profiles that come after it, and its own hooks, follow", async () => {
  const context = scratchContext();
  const hook = path.join(pathsOf(context, "db").state, "tell me");
  await createProfile(context.home, { name: "db", hooks: { failed: hook, ready: "https://example.org/x" } });
  await createProfile(context.home, { name: "web", after: ["cache", "db"] });
  await renameProfile(context, "db", "store");
  expect(readRegistry(context.home).get("web")?.after).toEqual(["cache", "store"]);
  expect(readRegistry(context.home).get("store")?.hooks).toEqual({
    failed: path.join(pathsOf(context, "store").state, "tell me"),
    ready: "https://example.org/x",
  });
});

test("the previous default follows too", async () => {
  const context = scratchContext();
  for (const name of ["dev", "prod"]) await createProfile(context.home, { name });
  await useProfile(context, "dev");
  await useProfile(context, "prod");
  await renameProfile(context, "dev", "old");
  expect(await useProfile(context, "-")).toMatchObject({ current: "old" });
});

test("refuses and changes nothing: an existing name, a stray folder, its own name, an invalid one, an unknown one", async () => {
  const context = scratchContext();
  for (const name of ["dev", "prod"]) await createProfile(context.home, { name });
  fs.mkdirSync(pathsOf(context, "stray").profile);
  const before = fs.readFileSync(path.join(context.home, "registry.json"), "utf8");
  await expect(renameProfile(context, "dev", "prod")).rejects.toMatchObject({ code: "PROFILE_EXISTS" });
  await expect(renameProfile(context, "dev", "stray")).rejects.toMatchObject({ code: "PROFILE_EXISTS" });
  await expect(renameProfile(context, "dev", "dev")).rejects.toMatchObject({ code: "PROFILE_EXISTS" });
  await expect(renameProfile(context, "dev", "../x")).rejects.toMatchObject({ code: "PROFILE_NAME_INVALID" });
  await expect(renameProfile(context, "dve", "new")).rejects.toMatchObject({
    code: "PROFILE_NOT_FOUND",
    hint: "Did you mean dev?",
  });
  expect(fs.readFileSync(path.join(context.home, "registry.json"), "utf8")).toBe(before);
});

test("a profile whose lock is held is running: refused, naming the process", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  const { lock: lockDir, config: configPath } = pathsOf(context, "dev");
  const lock = await acquireGatewayLock({ lockDir, configPath });
  try {
    await expect(renameProfile(context, "dev", "new")).rejects.toMatchObject({
      code: "PROFILE_RUNNING",
      message: `dev is running (pid ${process.pid})`,
      hint: "Stop it first: lockkeeper stop dev",
    });
  } finally {
    await lock.release();
  }
  await renameProfile(context, "dev", "new");
});

test("a unit that still starts the old name is reported", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  const unit = path.join(path.dirname(context.home), ".config/systemd/user/lockkeeper-dev.service");
  put("/", { [unit]: "[Service]\nExecStart=/usr/bin/lockkeeper run dev --supervised\n" });
  expect((await renameProfile(context, "dev", "new")).notes).toEqual([`${unit} still starts dev`]);
});

test("paths move only with their folder, never with a name that begins alike", () => {
  expect(movePath("/h/dev/state", "/h/dev", "/h/new")).toBe("/h/new/state");
  expect(movePath("/h/dev-2/state", "/h/dev", "/h/new")).toBe("/h/dev-2/state");
  const text = '{ a: "/h/dev/x", // /h/dev/x\n b: "/h/dev", c: "/h/dev-2/x" }';
  const moved = moveFolderInText(text, "/h/dev", "/h/dev-1");
  expect(moved).toBe('{ a: "/h/dev-1/x", // /h/dev-1/x\n b: "/h/dev-1", c: "/h/dev-2/x" }');
  expect(moveFolderInText(moved, "/h/dev", "/h/dev-1")).toBe(moved);
});
