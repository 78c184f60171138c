import { LockkeeperError } from "@lockkeeper/core";
import * as fs from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { formatManifest } from "../../src/manifest.ts";
import type { Manifest } from "../../src/manifest.ts";
import { homePaths } from "../../src/profile-paths.ts";
import { changeRegistry, settleRegistry } from "../../src/registry/registry-change.ts";
import { formatRegistry, inRegistryOrder, readRegistry, requireManifest } from "../../src/registry/registry.ts";
import { manifest, scratchHome } from "../scratch-home.ts";

async function withProfiles(...names: readonly string[]): Promise<string> {
  const home = scratchHome();
  const manifests = names.map((name, index) => manifest(home, name, 20_000 + 10 * index));
  await changeRegistry(home, ({ commit }) => commit(manifests));
  return home;
}

function thrownBy(action: () => unknown): LockkeeperError {
  try {
    action();
  } catch (error) {
    if (error instanceof LockkeeperError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("readRegistry", () => {
  test("a missing home is an empty registry, and stays missing", () => {
    const home = scratchHome();
    expect(readRegistry(home).size).toBe(0);
    expect(fs.existsSync(home)).toBe(false);
  });

  test("returns what was written, sorted by name, one line for each profile, private", async () => {
    const home = await withProfiles("prod", "007", "dev");
    expect([...readRegistry(home).keys()]).toEqual(["007", "dev", "prod"]);
    expect(readRegistry(home).get("dev")).toEqual(manifest(home, "dev", 20_020));
    const path = homePaths(home).registry;
    expect(fs.readFileSync(path, "utf8").split("\n")).toHaveLength(6);
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  test("what a change knows of its own text matches what another reader parses", async () => {
    const home = await withProfiles("exp-10", "exp-2", "dev");
    const known = [...readRegistry(home)];
    // The text of another home was read last.
    readRegistry(await withProfiles("dev"));
    expect([...readRegistry(home)]).toEqual(known);
  });

  test("another text is read anew, even when its size and times are the same", async () => {
    const home = await withProfiles("dev", "prod");
    const path = homePaths(home).registry;
    readRegistry(home);
    const { atime, mtime } = fs.statSync(path);
    const replace = (from: string, to: string): void => {
      fs.writeFileSync(path, fs.readFileSync(path, "utf8").replace(from, to));
      fs.utimesSync(path, atime, mtime);
    };
    replace('"dev"', '"new"');
    expect([...readRegistry(home).keys()]).toEqual(["new", "prod"]);
    replace('"new"', '"NEW"');
    expect(thrownBy(() => readRegistry(home)).code).toBe("REGISTRY_DAMAGED");
  });

  test("paths elsewhere are stored and others are not, so that a home can be moved", async () => {
    const home = scratchHome();
    const adopted = manifest(home, "old", 20_000);
    const paths = { ...adopted.paths, state: "/elsewhere/.openclaw" };
    await changeRegistry(home, ({ commit }) => commit([{ ...adopted, paths }, manifest(home, "new", 20_010)]));
    expect(readRegistry(home).get("old")?.paths.state).toBe("/elsewhere/.openclaw");
    const moved = `${home}-moved`;
    fs.renameSync(home, moved);
    expect(readRegistry(moved).get("new")?.paths.state.startsWith(moved)).toBe(true);
    expect(fs.readFileSync(homePaths(moved).registry, "utf8")).not.toContain(home + "/profiles");
    fs.rmSync(moved, { recursive: true });
  });

  test.each([
    ['{"broken', ":1:2: not JSON"],
    ["", ":1:1: not JSON"],
    ["[]", "schemaVersion: expected 1"],
    ["null", "expected an object"],
    ['{"schemaVersion":1,"revision":1,"profiles":{}}', "profiles: expected a list"],
    ['{"schemaVersion":1,"revision":1,"profiles":[{"schemaVersion":1,"name":"../x"}]}', "profiles[0].name: expected"],
    ['{"schemaVersion":1,"revision":1,"profiles":[{"__proto__":{"name":"x"}}]}', "profiles[0].schemaVersion"],
  ])("%j is damaged: reported with path, place and remedy, and kept", async (text, place) => {
    const home = await withProfiles("dev", "prod");
    const { registry, registryLastGood } = homePaths(home);
    fs.writeFileSync(registry, text);
    const error = thrownBy(() => readRegistry(home));
    expect(error.code).toBe("REGISTRY_DAMAGED");
    expect(error.message).toContain(registry);
    expect(error.message).toContain(place);
    expect(error.hint).toContain(`2 profiles`);
    expect(error.hint).toContain(`cp -p ${registryLastGood} ${registry}`);
    await expect(changeRegistry(home, ({ commit }) => commit([]))).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
    expect(fs.readFileSync(registry, "utf8")).toBe(text);
    fs.copyFileSync(registryLastGood, registry);
    expect(readRegistry(home).size).toBe(2);
  });

  test("a later format is reported as such, not as damage that should be repaired", async () => {
    const home = await withProfiles("dev");
    fs.writeFileSync(homePaths(home).registry, '{"schemaVersion":2,"profiles":[]}');
    const error = thrownBy(() => readRegistry(home));
    expect(error.message).toContain("newer Lockkeeper");
    expect(error.hint).toBe("Upgrade Lockkeeper on this machine.");
  });

  test("every manifest field is checked", async () => {
    const home = await withProfiles("dev");
    const path = homePaths(home).registry;
    const good = fs.readFileSync(path, "utf8");
    for (const [field, wrong] of [
      ["kind", "magic"],
      ["host", ""],
      ["port", 0],
      ["span", 60_000],
      ["ports", { gateway: "x" }],
      ["health", null],
      ["protected", "yes"],
      ["createdAt", 5],
      ["command", [1]],
      ["env", { A: 1 }],
      ["passEnv", "A"],
      ["cwd", 1],
      ["envFile", 1],
      ["paths", { lock: "/x" }],
    ] as const) {
      const document = JSON.parse(good) as { profiles: Record<string, unknown>[] };
      Object.assign(document.profiles[0] ?? {}, { [field]: wrong });
      fs.writeFileSync(path, JSON.stringify(document));
      expect(thrownBy(() => readRegistry(home)).message).toContain(`profiles[0].${field}: expected`);
    }
  });

  test("a manifest that could not be read again is never written", async () => {
    const home = await withProfiles("dev");
    const text = fs.readFileSync(homePaths(home).registry, "utf8");
    const bad = { ...manifest(home, "bad", 20_500), protected: "yes" } as unknown as Manifest;
    const change = changeRegistry(home, ({ registry, commit }) => commit([...registry.values(), bad]));
    await expect(change).rejects.toThrow('profile bad: protected: expected true or false, got "yes"');
    expect(fs.readFileSync(homePaths(home).registry, "utf8")).toBe(text);
  });

  test.each(["symlink", "directory"])("a %s in its place is refused, target untouched", async (kind) => {
    const home = await withProfiles("dev");
    const { registry } = homePaths(home);
    const target = `${dirname(home)}/target`;
    fs.renameSync(registry, target);
    if (kind === "symlink") fs.symlinkSync(target, registry);
    else fs.mkdirSync(registry);
    expect(thrownBy(() => readRegistry(home)).code).toBe("UNSAFE_PATH");
    await expect(changeRegistry(home, ({ commit }) => commit([]))).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    expect(fs.readFileSync(target, "utf8")).toContain("dev");
  });
});

describe("requireManifest", () => {
  test("an unknown name gets the nearest ones, and nothing is written", async () => {
    const home = await withProfiles("dev", "prod");
    const before = fs.readdirSync(home);
    const error = thrownBy(() => requireManifest(home, "dve"));
    expect(error.code).toBe("PROFILE_NOT_FOUND");
    expect(error.message).toContain("dve");
    expect(error.hint).toBe("Did you mean dev?");
    expect(thrownBy(() => requireManifest(home, "../dev")).code).toBe("PROFILE_NAME_INVALID");
    expect(thrownBy(() => requireManifest(home, "__proto__")).code).toBe("PROFILE_NAME_INVALID");
    expect(fs.readdirSync(home)).toEqual(before);
  });
});

/** A home whose `remove` was killed between the move of the folder and the write of the registry. */
async function interrupted(): Promise<{ home: string; from: string; to: string }> {
  const home = await withProfiles("dev");
  const [from, to] = [`${home}/profiles/dev`, `${home}/trash/dev.then`];
  fs.mkdirSync(to);
  fs.writeFileSync(`${to}/precious`, "x");
  const move = [{ from: "profiles/dev", to: "trash/dev.then" }];
  fs.writeFileSync(homePaths(home).registryIntent, JSON.stringify({ v: 1, revision: 2, move }));
  return { home, from, to };
}

describe("an interrupted change", () => {
  test("is undone by the next change that settles it", async () => {
    const { home, from } = await interrupted();
    await settleRegistry(home);
    expect(fs.readFileSync(`${from}/precious`, "utf8")).toBe("x");
    expect(fs.existsSync(homePaths(home).registryIntent)).toBe(false);
  });

  test("is left to a person when both folders exist, and nothing is lost", async () => {
    const { home, from, to } = await interrupted();
    fs.mkdirSync(from);
    await expect(settleRegistry(home)).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
    await expect(settleRegistry(home)).rejects.toThrow(to);
    fs.rmdirSync(from);
    await settleRegistry(home);
    expect(fs.existsSync(`${from}/precious`)).toBe(true);
  });

  test.each([
    "{",
    '{"v":2}',
    '{"v":1,"revision":2,"make":["../../etc"]}',
    '{"v":1,"revision":2,"make":["profiles/../../x"]}',
    '{"v":1,"revision":2,"move":[{"from":"profiles/a","to":"/etc/x"}]}',
    '{"v":1,"revision":2,"discard":["registry.json"]}',
  ])("with %s is refused, and nothing is moved or removed", async (text) => {
    const home = await withProfiles("dev");
    fs.writeFileSync(homePaths(home).registryIntent, text);
    await expect(settleRegistry(home)).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
    expect(fs.readFileSync(homePaths(home).registryIntent, "utf8")).toBe(text);
    expect(readRegistry(home).size).toBe(1);
  });
});

test("the order of a registry is that of the names, whatever it was before", () => {
  const home = "/h";
  const names = ["a", "b", "c2", "c10", "d"];
  const given = ["c10", "d", "a", "c2", "b"].map((name, index) => manifest(home, name, 20_000 + index));
  expect(inRegistryOrder(given).map(({ name }) => name)).toEqual(names);
  expect(inRegistryOrder(given.toReversed()).map(({ name }) => name)).toEqual(names);
  const before = new Map(inRegistryOrder(given.slice(1)).map((each) => [each.name, each]));
  for (const order of [given, given.toReversed(), inRegistryOrder(given)]) {
    expect(inRegistryOrder(order, before).map(({ name }) => name)).toEqual(names);
  }
  expect(formatRegistry(home, 3, inRegistryOrder(given))).toBe(
    formatRegistry(home, 3, inRegistryOrder(given.toReversed())),
  );
});

test.each([
  ["at both ends", ["0", "a", "b", "c", "d", "e"]],
  ["in the middle", ["a", "b", "bb", "bc", "c"]],
  ["in place of a removed one", ["a", "bb", "c"]],
  ["alone", ["x"]],
  ["before one that goes", ["0", "a"]],
  ["behind the last one, which goes", ["b", "d"]],
  ["nowhere", ["c"]],
])("the lines of a change are those of its profiles, with what was added %s", async (_, names) => {
  const home = await withProfiles("a", "b", "c");
  await changeRegistry(home, async ({ registry, commit }) => {
    await commit(names.map((name, index) => registry.get(name) ?? manifest(home, name, 21_000 + 10 * index)));
  });
  const text = fs.readFileSync(homePaths(home).registry, "utf8");
  expect(text.split("\n").slice(1, -2)).toEqual(
    [...readRegistry(home).values()].map(
      (each, index) => formatManifest(home, each) + (index < names.length - 1 ? "," : ""),
    ),
  );
  expect([...readRegistry(home).keys()]).toEqual(names);
});

test.each([
  ["as we write it", (text: string) => text],
  ["on one line", (text: string) => text.replaceAll("\n", "")],
  ["on many lines", (text: string) => JSON.stringify(JSON.parse(text), undefined, 2)],
  [
    "with as many lines as ours, cut elsewhere",
    (text: string) => text.replace("},\n{", "},{").replace('"span":', '\n"span":'),
  ],
  ["with a blank line in front", (text: string) => `\n${text}`],
  ["with blanks at the ends of lines", (text: string) => text.replaceAll(",\n", ", \n")],
  ["with a blank in front of each line", (text: string) => text.replaceAll("\n{", "\n {")],
  ["with an end of its own", (text: string) => text.trimEnd()],
])("a change of a registry %s keeps every other profile, with fields that nobody knows", async (_, laidOut) => {
  const home = await withProfiles("a", "b", "c");
  const { registry } = homePaths(home);
  const document = JSON.parse(fs.readFileSync(registry, "utf8")) as { profiles: Record<string, unknown>[] };
  Object.assign(document.profiles[1] ?? {}, { later: [{ name: "c" }, "},\n{"] });
  const lines = document.profiles.map((profile) => JSON.stringify(profile)).join(",\n");
  fs.writeFileSync(registry, laidOut(`{"schemaVersion":1,"revision":1,"profiles":[\n${lines}\n]}\n`));
  await changeRegistry(home, ({ registry: before, commit }) =>
    commit([...before.values(), manifest(home, "bb", 21_000)]),
  );
  const after = JSON.parse(fs.readFileSync(registry, "utf8")) as { profiles: Record<string, unknown>[] };
  const made = after.profiles.filter(({ name }) => name === "bb");
  expect(made).toHaveLength(1);
  expect(after.profiles).toEqual([...document.profiles.slice(0, 2), ...made, ...document.profiles.slice(2)]);
  const text = fs.readFileSync(registry, "utf8");
  expect(text.split("\n")).toHaveLength(7);
  expect(formatRegistry(home, 2, [...readRegistry(home).values()])).toBe(text);
});

describe("the last good copy", () => {
  test("never names a profile that the registry does not: it is written second", async () => {
    const home = await withProfiles("dev");
    const { registry, registryLastGood } = homePaths(home);
    const before = fs.readFileSync(registryLastGood, "utf8");
    const change = changeRegistry(home, ({ commit }) =>
      commit([manifest(home, "dev", 20_000), manifest(home, "new", 20_010)], {}, async () => {
        // The write of the registry must refuse this.
        fs.renameSync(registry, `${registry}.kept`);
        fs.mkdirSync(registry);
      }),
    );
    await expect(change).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    expect(fs.readFileSync(registryLastGood, "utf8")).toBe(before);
    fs.rmdirSync(registry);
    fs.renameSync(`${registry}.kept`, registry);
    await settleRegistry(home);
    expect([...readRegistry(home).keys()]).toEqual(["dev"]);
  });
});
