import { LockkeeperError } from "@lockkeeper/core";
import * as fc from "fast-check";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { homePaths } from "../../src/profile-paths.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { readSelection, useProfile } from "../../src/selection/selection.ts";
import { editSettingsFile } from "../../src/settings/edited-file.ts";
import { readSettingsFile, satisfies, writeSettingsFile } from "../../src/settings/settings-file.ts";
import type { SettingsTable } from "../../src/settings/settings-file.ts";
import { gatewaySettingsTable } from "../../src/settings/gateway-settings.ts";
import { changeSettings, DEFAULT_SETTINGS, readSettings, settingsTable } from "../../src/settings/settings.ts";
import { manifest, scratchHome } from "../scratch-home.ts";

const value = fc.oneof(
  fc.jsonValue(),
  fc.integer({ min: -1, max: 70_000 }),
  fc.constantFrom(1023, 1024, 65_535, 65_536, 0.5, "dev", "a".repeat(32), "a".repeat(33), "A", "", null),
  fc.array(fc.constantFrom("localhost", "a b", "https://app.example", "https://", "*", "gateway.example:80")),
);

describe("the fast reader and conf", () => {
  test.each([
    ["tool", settingsTable],
    ["gateway", gatewaySettingsTable],
  ] as const)("accept and refuse the same %s settings", async (_name, table: SettingsTable) => {
    const { default: Conf } = await import("conf");
    const home = scratchHome();
    fs.mkdirSync(home, { recursive: true });
    const conf = new Conf<Record<string, unknown>>({
      cwd: home,
      configName: "config",
      accessPropertiesByDotNotation: false,
      schema: { ...table } as never,
    });
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(table)), value, (key, candidate) => {
        const schema = table[key];
        if (schema === undefined) throw new Error(`no schema for ${key}`);
        let accepted = true;
        try {
          conf.store = { [key]: candidate };
        } catch {
          accepted = false;
        }
        expect({ key, candidate, accepted: satisfies(schema, candidate) }).toEqual({ key, candidate, accepted });
      }),
      { numRuns: 300 },
    );
  });

  test("defaults satisfy their own table", () => {
    for (const [key, schema] of Object.entries(settingsTable)) {
      expect(satisfies(schema, DEFAULT_SETTINGS[key as keyof typeof DEFAULT_SETTINGS])).toBe(true);
    }
  });
});

describe("a setting that a person edits", () => {
  test("goes through conf: other keys stay, the file is private, a wrong value changes nothing and the error is ours", async () => {
    const home = scratchHome();
    await changeSettings(home, () => ({ defaultProfile: "dev" }));
    const path = homePaths(home).settings;
    fs.writeFileSync(path, JSON.stringify({ defaultProfile: "dev", later: 1 }), { mode: 0o600 });
    await editSettingsFile(path, settingsTable, { poolFirst: 20_000 });
    expect(JSON.parse(fs.readFileSync(path, "utf8"))).toEqual({ defaultProfile: "dev", later: 1, poolFirst: 20_000 });
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
    const before = fs.readFileSync(path, "utf8");
    await expect(editSettingsFile(path, settingsTable, { poolFirst: 5 })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: "poolFirst: expected a whole number from 1024 to 65535, got 5",
    });
    await expect(editSettingsFile(path, settingsTable, { nonsense: 5 })).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
    expect(fs.readFileSync(path, "utf8")).toBe(before);
    expect(fs.readdirSync(home).filter((name) => name.includes("tmp"))).toEqual([]);
  });
});

describe("settings on disk", () => {
  test("are private under any umask, keep unknown keys, and hold no defaults", async () => {
    const home = scratchHome();
    expect(readSettings(home)).toEqual(DEFAULT_SETTINGS);
    await changeSettings(home, () => ({ poolFirst: 20_000 }));
    const path = homePaths(home).settings;
    const text = JSON.parse(fs.readFileSync(path, "utf8")) as Record<string, unknown>;
    expect(text).toEqual({ poolFirst: 20_000 });
    fs.writeFileSync(path, JSON.stringify({ ...text, later: { x: 1 } }));
    for (const mask of [0o000, 0o777]) {
      fs.chmodSync(path, 0o644);
      const before = process.umask(mask);
      await changeSettings(home, () => ({ poolLast: 30_000 + mask })).finally(() => process.umask(before));
      expect(readSettings(home)).toMatchObject({ poolFirst: 20_000, poolLast: 30_000 + mask });
      expect(fs.readFileSync(path, "utf8")).toContain("later");
      expect(fs.statSync(path).mode & 0o777).toBe(0o600);
    }
  });

  test.each([
    ['{"poolFirst": 5', ":1:16: not JSON"],
    ['{"poolFirst": 5}', "poolFirst: expected a whole number from 1024 to 65535, got 5"],
    ["[]", "expected an object"],
  ])("damaged as %j: reported with path and place, and kept", async (text, place) => {
    const home = scratchHome();
    await changeSettings(home, () => ({ poolFirst: 20_000 }));
    const path = homePaths(home).settings;
    fs.writeFileSync(path, text);
    for (const attempt of [
      async () => readSettings(home),
      () => changeSettings(home, () => ({ poolFirst: 2000 })),
      () => writeSettingsFile(path, settingsTable, { poolFirst: 2000 }),
    ]) {
      const error = await attempt().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(LockkeeperError);
      expect(error).toMatchObject({ code: "CONFIG_DAMAGED" });
      expect(String(error)).toContain(path);
      expect(String(error)).toContain(place);
    }
    expect(fs.readFileSync(path, "utf8")).toBe(text);
  });

  test.skipIf(process.geteuid?.() !== 0)(
    "a read-only disk is told with path and errno (needs root: mounts)",
    async () => {
      const disk = dirname(scratchHome());
      const path = join(disk, "config.json");
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", disk]);
      try {
        await writeSettingsFile(path, settingsTable, { poolFirst: 2000 });
        execFileSync("mount", ["-o", "remount,ro", disk]);
        const attempt = writeSettingsFile(path, settingsTable, { poolFirst: 3000 });
        await expect(attempt).rejects.toMatchObject({ code: "DISK_READ_ONLY" });
        await expect(attempt).rejects.toThrow(path);
        expect(readSettingsFile(path, settingsTable)).toEqual({ poolFirst: 2000 });
      } finally {
        execFileSync("umount", [disk]);
      }
    },
  );

  test("a wrong value or key is refused before anything is written", async () => {
    const path = join(dirname(scratchHome()), "config.json");
    await expect(writeSettingsFile(path, settingsTable, { poolFirst: "x" })).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
    await expect(writeSettingsFile(path, settingsTable, { nonsense: 1 })).rejects.toThrow("no such setting: nonsense");
    expect(readSettingsFile(path, settingsTable)).toEqual({});
    expect(fs.existsSync(path)).toBe(false);
  });
});

async function twoProfiles(): Promise<string> {
  const home = scratchHome();
  const manifests = [manifest(home, "dev", 20_000), manifest(home, "prod", 20_010, { protected: true })];
  await changeRegistry(home, ({ commit }) => commit(manifests));
  return home;
}

describe("selection", () => {
  test("an argument outranks the environment, which outranks the default; the result says where it looked", async () => {
    const home = await twoProfiles();
    expect(readSelection({ home, env: {} })).toMatchObject({ name: null, source: "none" });
    await useProfile({ home, env: {} }, "dev");
    expect(readSelection({ home, env: { LOCKKEEPER_PROFILE: "" } })).toMatchObject({ name: "dev", source: "default" });
    const env = { LOCKKEEPER_PROFILE: "prod" };
    expect(readSelection({ home, env })).toMatchObject({ name: "prod", source: "environment" });
    expect(readSelection({ home, env }, { profile: "other" })).toEqual({
      name: "other",
      source: "argument",
      candidates: [
        { source: "argument", name: "other" },
        { source: "environment", name: "prod" },
        { source: "default", name: "dev" },
      ],
    });
  });

  test("use goes back and forth with -, says when the profile is protected, and refuses an unknown name without a trace", async () => {
    const home = await twoProfiles();
    const context = { home, env: {} };
    await expect(useProfile(context, "-")).rejects.toMatchObject({ code: "OPTION_INVALID" });
    await expect(useProfile(context, "dve")).rejects.toMatchObject({ code: "PROFILE_NOT_FOUND" });
    expect(fs.existsSync(homePaths(home).settings)).toBe(false);
    expect(await useProfile(context, "dev")).toEqual({ previous: null, current: "dev", protected: false });
    expect(await useProfile(context, "prod")).toEqual({ previous: "dev", current: "prod", protected: true });
    expect(await useProfile(context, "-")).toEqual({ previous: "prod", current: "dev", protected: false });
    expect(await useProfile(context, "dev")).toEqual({ previous: "dev", current: "dev", protected: false });
    expect(await useProfile(context, "-")).toEqual({ previous: "dev", current: "prod", protected: true });
  });
});
