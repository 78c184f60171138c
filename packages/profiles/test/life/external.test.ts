/**
 * A gateway of the profile that somebody else runs is recognized by the program's own record, and no command moves its
 * folders.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { cloneProfile } from "../../src/life/clone.ts";
import { createProfile } from "../../src/life/create.ts";
import { removeProfile } from "../../src/life/remove.ts";
import { renameProfile } from "../../src/life/rename.ts";
import { listProfiles } from "../../src/status/list.ts";
import { observeAll } from "../../src/status/observe-all.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { lockRecord, startAnswering } from "../openclaw-host.ts";
import { pathsOf, put, scratchContext } from "./scratch-context.ts";

test("a created profile's gateway, run by hand on any port, is external; remove, rename and clone are refused", async () => {
  const context = scratchContext();
  const { port } = await createProfile(context.home, { name: "rescue", kind: "openclaw" });
  const { state } = pathsOf(context, "rescue");
  const running = await startAnswering();
  put(state, lockRecord(running, state));

  const [status] = await listProfiles(context);
  expect(status).toMatchObject({ state: "external", pid: running.pid, port: running.port, health: "ok" });
  expect(status?.ports["browser-control"]).toBe(running.port + 2);
  expect(status?.reason).toContain(`on port ${running.port}, not on its own ${port}`);
  const [observation] = await observeAll(context, [...readRegistry(context.home).values()]);
  expect(observation?.observed.state).toBe("external");

  const refused = { code: "PROFILE_RUNNING", message: expect.stringContaining(`pid ${running.pid}`) as string };
  const before = readFileSync(path.join(context.home, "registry.json"), "utf8");
  await expect(removeProfile(context, "rescue")).rejects.toMatchObject(refused);
  await expect(renameProfile(context, "rescue", "other")).rejects.toMatchObject(refused);
  await expect(cloneProfile(context, "rescue", "copy")).rejects.toMatchObject(refused);
  expect(readFileSync(path.join(context.home, "registry.json"), "utf8")).toBe(before);
});

test("a record that was copied with a folder, belongs to an ended process, or is of no gateway, means that nothing runs", async () => {
  const context = scratchContext();
  const running = await startAnswering();
  for (const name of ["copied", "ended", "working"]) await createProfile(context.home, { name, kind: "openclaw" });
  const states = Object.fromEntries(["copied", "ended", "working"].map((name) => [name, pathsOf(context, name).state]));
  const record = (name: string, change: object): void => {
    const state = states[name] ?? "";
    const [[file = "", text = ""] = []] = Object.entries(lockRecord(running, state));
    put(state, { [file]: JSON.stringify({ ...(JSON.parse(text) as object), ...change }) });
  };
  record("copied", { stateDir: "/elsewhere/state" });
  record("ended", { startTime: 1 });
  record("working", { role: "agent-embedded", port: undefined });
  expect((await listProfiles(context)).map(({ name, state }) => `${name} ${state}`)).toEqual([
    "copied stopped",
    "ended stopped",
    "working stopped",
  ]);
  // It does not serve, but it writes there.
  await expect(removeProfile(context, "working")).rejects.toMatchObject({ code: "PROFILE_RUNNING" });
  await removeProfile(context, "copied");
});
