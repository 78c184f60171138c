/**
 * SIGKILL before each file-system step of every change in the life of a profile. Afterwards the next change finds
 * nothing of it or all of it, and works. The steps are counted, not guessed: a sweep continues until a run survives.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { KILL_AT_STEP } from "../../../../test/harness/kill-at-step.ts";
import type { ProfilesContext } from "../../src/context.ts";
import { createProfile } from "../../src/life/create.ts";
import { editProfile } from "../../src/life/edit.ts";
import { cloneProfile } from "../../src/life/clone.ts";
import { renameProfile } from "../../src/life/rename.ts";
import { restoreProfile } from "../../src/life/restore.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { removeProfile } from "../../src/life/remove.ts";
import { readSelection, useProfile } from "../../src/selection/selection.ts";
import { treeHash } from "../openclaw-host.ts";
import { filesIn, pathsOf, put, scratchContext } from "./scratch-context.ts";
import { profilePlace } from "../../../../test/harness/ports.ts";

// A sweep starts a process for each step, and that takes minutes on a machine that does much else.
vi.setConfig({ testTimeout: 1_200_000 });

/** Describes one sweep. */
interface Sweep {
  readonly args: readonly string[] | ((context: ProfilesContext) => readonly string[]);
  /** Whether folders can be renamed. @default "yes" */
  readonly renames?: "yes" | "refused";
  /** Makes the home that each run gets a copy of; nothing in it may hold its own path. */
  readonly template: (context: ProfilesContext) => Promise<void>;
  /** Prepares each copy further. */
  readonly prepare?: (context: ProfilesContext) => unknown;
  /** Checks what the next change finds: nothing of it, or all of it; anything else is a failure. */
  readonly extent: (context: ProfilesContext) => Promise<"none" | "whole" | "part">;
  readonly again: (context: ProfilesContext) => Promise<unknown>;
}

const REFUSE_FOLDER_RENAMES = fileURLToPath(
  new URL("../../../../test/harness/refuse-folder-renames.cjs", import.meta.url),
);

/** Two cores can serve a few homes at once; each home is independent. */
const AT_ONCE = 4;
const MOST_STEPS = 200;

async function sweep(what: Sweep): Promise<void> {
  const template = scratchContext();
  await what.template(template);
  const seen = new Set<string>();
  let step = 0;
  let through = false;
  const worker = async (): Promise<void> => {
    while (!through) {
      step += 1;
      const killAt = step;
      expect(killAt).toBeLessThan(MOST_STEPS);
      const context = scratchContext();
      fs.cpSync(path.dirname(template.home), path.dirname(context.home), { recursive: true, preserveTimestamps: true });
      what.prepare?.(context);
      const args = typeof what.args === "function" ? what.args(context) : what.args;
      if (await change(context.home, args, killAt, what.renames)) through = true;
      // The next change settles it; here one that changes nothing.
      await changeRegistry(context.home, async () => undefined);
      expect({ killAt, left: litter(context.home) }).toEqual({ killAt, left: [] });
      const left = await what.extent(context);
      seen.add(left);
      expect({ killAt, left }).not.toEqual({ killAt, left: "part" });
      if (left === "none") await what.again(context);
      expect({ killAt, left: await what.extent(context) }).toEqual({ killAt, left: "whole" });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  expect([...seen].sort()).toEqual(["none", "whole"]);
  // A lower count would mean that the fixture no longer sees the steps of a change.
  expect(step).toBeGreaterThan(10);
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** Runs one change that is killed before step `killAt`; returns true when it survived. */
async function change(
  home: string,
  args: readonly string[],
  killAt: number,
  renames: Sweep["renames"] = "yes",
): Promise<boolean> {
  const preloads = [KILL_AT_STEP, ...(renames === "refused" ? [REFUSE_FOLDER_RENAMES] : [])];
  const argv = [...preloads.flatMap((each) => ["--require", each]), fixture("change-life.js"), home, ...args];
  const env = { ...process.env, KILL_AT_STEP: String(killAt) };
  const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal === "SIGKILL") return false;
  expect({ code, output }).toEqual({ code: 0, output: "done\n" });
  return true;
}

/** Returns what an unfinished change would have left in the home. */
function litter(home: string): readonly string[] {
  const known = new Set(["registry.json", "registry.last-good.json", "registry.lock", "staging.lock", "config.json"]);
  const folders = new Set(["profiles", "run", "trash"]);
  return fs.readdirSync(home).filter((name) => !known.has(name) && !folders.has(name));
}

async function withDev(context: ProfilesContext): Promise<void> {
  await createProfile(context.home, { name: "dev" });
  put(pathsOf(context, "dev").state, { "a/b": "c", d: "e" });
}

/** Checks for everything that `create` makes, with a token in it, or for no trace in registry and folder. */
function createdExtent(context: ProfilesContext): "none" | "whole" | "part" {
  const { profile, token, lock, logs, state, workspace } = pathsOf(context, "dev");
  if (!readRegistry(context.home).has("dev")) return fs.existsSync(profile) ? "part" : "none";
  const whole = [token, lock, logs, state, workspace].every((each) => fs.existsSync(each));
  return whole && fs.readFileSync(token, "utf8").length > 40 ? "whole" : "part";
}

test("create: no profile, or a whole one", async () => {
  await sweep({
    args: ["create", "dev"],
    template: async () => undefined,
    extent: async (context) => createdExtent(context),
    again: (context) => createProfile(context.home, { name: "dev" }),
  });
});

test("edit: the old settings, or all of the new ones", async () => {
  // Several homes look for a port at once, and a look takes the port for an instant: each home has its own port.
  const ports = new Map<string, number>();
  const portOf = ({ home }: ProfilesContext): number => {
    const port = ports.get(home) ?? profilePlace(10);
    ports.set(home, port);
    return port;
  };
  await sweep({
    args: (context) => ["edit", "dev", String(portOf(context))],
    template: withDev,
    extent: async (context) => {
      const { env, groups, stopTimeoutMs } = readRegistry(context.home).get("dev") ?? {};
      const parts = [env?.["A"] === "1", groups?.[0] === "g", stopTimeoutMs === 1_000].filter(Boolean).length;
      return parts === 0 ? "none" : parts === 3 ? "whole" : "part";
    },
    again: (context) =>
      editProfile(context, "dev", { env: { A: "1" }, groups: ["g"], stopTimeoutMs: 1_000, port: portOf(context) }),
  });
});

test("remove: as before, or completely in the trash", async () => {
  await sweep({
    args: ["remove", "dev"],
    template: withDev,
    extent: async (context) => {
      const trash = path.join(context.home, "trash");
      const [folder, ...others] = fs.readdirSync(trash);
      if (folder === undefined) return createdExtent(context) === "whole" ? "none" : "part";
      if (others.length > 0 || createdExtent(context) !== "none") return "part";
      return filesIn(path.join(trash, folder, "state")).join(" ") === "a/b d" ? "whole" : "part";
    },
    again: (context) => removeProfile(context, "dev"),
  });
});

test.each(["yes", "refused"] as const)(
  "rename: one name, and all references agree; a rename of a folder: %s",
  async (renames) => {
    await sweep({
      renames,
      args: ["rename", "dev", "new"],
      template: async (context) => {
        await withDev(context);
        await useProfile(context, "dev");
      },
      prepare: (context) => {
        const { config, state } = pathsOf(context, "dev");
        put(path.dirname(config), { "gateway.json": `{"x":"${state}"}` });
      },
      extent: async (context) => {
        const names = [...readRegistry(context.home).keys()];
        const name = names[0] ?? "";
        const paths = pathsOf(context, name);
        const agree =
          names.length === 1 &&
          fs.readdirSync(path.dirname(paths.profile)).join(" ") === name &&
          (await readSelection(context)).name === name &&
          fs.readFileSync(paths.config, "utf8") === `{"x":"${paths.state}"}` &&
          filesIn(paths.state).join(" ") === "a/b d";
        return !agree ? "part" : name === "new" ? "whole" : "none";
      },
      again: (context) => renameProfile(context, "dev", "new"),
    });
  },
);

test("clone: no clone, or a whole one, and the original unchanged", async () => {
  await sweep({
    args: ["clone", "dev", "copy"],
    template: withDev,
    extent: async (context) => {
      const { profile, state, token, lock, logs } = pathsOf(context, "copy");
      if (filesIn(pathsOf(context, "dev").state).join(" ") !== "a/b d") return "part";
      if (!readRegistry(context.home).has("copy")) return fs.existsSync(profile) ? "part" : "none";
      const whole = filesIn(state).join(" ") === "a/b d" && [token, lock, logs].every((each) => fs.existsSync(each));
      return whole ? "whole" : "part";
    },
    again: (context) => cloneProfile(context, "dev", "copy"),
  });
});

test("restore: in the trash, or completely back", async () => {
  await sweep({
    args: ["restore", "dev"],
    template: async (context) => {
      await withDev(context);
      await removeProfile(context, "dev");
    },
    extent: async (context) => {
      const { profile, state } = pathsOf(context, "dev");
      const inTrash = fs.readdirSync(path.join(context.home, "trash")).length;
      if (!readRegistry(context.home).has("dev")) return inTrash === 1 && !fs.existsSync(profile) ? "none" : "part";
      const whole = inTrash === 0 && filesIn(state).join(" ") === "a/b d";
      return whole && !fs.existsSync(path.join(profile, "manifest.json")) ? "whole" : "part";
    },
    again: (context) => restoreProfile(context, "dev"),
  });
});

function theirs({ home }: ProfilesContext): string {
  return path.join(path.dirname(home), ".openclaw-work");
}

test("import: nothing or everything, and never a changed byte of the original", async () => {
  const before = new Map<string, string>();
  await sweep({
    args: ["import", "work"],
    template: async (context) => {
      put(theirs(context), { "openclaw.json": '{"gateway": {"port": 31000}}', "sessions/a": "a" });
    },
    prepare: (context) => before.set(context.home, treeHash(theirs(context))),
    extent: async (context) => {
      if (treeHash(theirs(context)) !== before.get(context.home)) return "part";
      const { profile, lock, logs } = pathsOf(context, "work");
      if (!readRegistry(context.home).has("work")) return fs.existsSync(profile) ? "part" : "none";
      return [lock, logs].every((each) => fs.existsSync(each)) ? "whole" : "part";
    },
    again: async (context) => {
      const { importGateways } = await import("../../src/adopt/import.ts");
      const roots = { userHome: path.dirname(context.home), unitDirectories: [], applications: [] };
      await importGateways(context, "openclaw", { name: "work", roots });
    },
  });
});

test("apply: can be repeated wherever it was killed; a new profile is whole, an edited one is old or new", async () => {
  const set = JSON.stringify({
    profiles: { a: { env: { A: "1" } }, b: { after: ["a"] }, old: { groups: ["g"] }, same: {} },
  });
  const file = path.join(path.dirname(scratchContext().home), "lockkeeper.json");
  fs.writeFileSync(file, set);
  await sweep({
    args: ["apply", file],
    template: async (context) => {
      await createProfile(context.home, { name: "old", env: { B: "2" } });
      await createProfile(context.home, { name: "same" });
    },
    extent: async (context) => {
      const registry = readRegistry(context.home);
      const made = ["a", "b"].filter((name) => registry.has(name));
      const whole = made.every((name) => fs.readFileSync(pathsOf(context, name).token, "utf8").length > 40);
      const { env, groups } = registry.get("old") ?? {};
      const isEdited = groups?.[0] === "g";
      const agree = isEdited ? env === undefined : env?.["B"] === "2" && groups === undefined;
      if (!whole || made.length === 1 || !agree) return "part";
      return made.length === 2 && isEdited && registry.get("same")?.set?.file === file ? "whole" : "none";
    },
    again: async (context) => {
      const { applySetFile, planSetFile } = await import("../../src/sets/sets.ts");
      await applySetFile(context, { file }, await planSetFile(context, { file }));
      expect(await planSetFile(context, { file })).toMatchObject({ changes: [], claims: [] });
    },
  });
});
