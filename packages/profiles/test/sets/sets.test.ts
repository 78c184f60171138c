/** A set applied to a home: the plan, the changes, the refusals, and the way back with export. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { ProfilesContext } from "../../src/context.ts";
import { createProfile } from "../../src/life/create.ts";
import { editProfile } from "../../src/life/edit.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import type { SetPlan } from "../../src/sets/plan-set.ts";
import { readSetFile } from "../../src/sets/set-file.ts";
import { applySetFile, exportSet, planSetFile } from "../../src/sets/sets.ts";
import { scratchContext } from "../life/scratch-context.ts";

type Profiles = Readonly<Record<string, unknown>>;

/** Writes the file beside the home and returns its path. */
function write({ home }: ProfilesContext, profiles: Profiles | string, name = "lockkeeper.json"): string {
  const file = path.join(path.dirname(home), name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, typeof profiles === "string" ? profiles : JSON.stringify({ profiles }));
  return fs.realpathSync(file);
}

async function apply(context: ProfilesContext, file: string, prefix = ""): Promise<SetPlan> {
  const plan = await planSetFile(context, { file, prefix });
  await applySetFile(context, { file, prefix }, plan);
  return plan;
}

function brief({ changes }: SetPlan): readonly string[] {
  return changes.map(({ profile, action, fields }) =>
    [action, profile, ...(action === "edit" ? fields.map(({ field }) => field) : [])].join(" "),
  );
}

const EVERY: Profiles = {
  web: {
    command: ["node", "server.js", "--port", "{port}"],
    cwd: ".",
    env: { MODE: "dev", API_TOKEN: "x" },
    passEnv: ["EDITOR"],
    portEnv: false,
    host: "127.0.0.1",
    span: 12,
    extraPorts: { metrics: 1 },
    health: "/ready",
    scheme: "http",
    stopTimeout: "1500ms",
    groups: ["shop"],
    after: ["db"],
    end: "all",
    memoryRestart: "1.001M",
    memoryMax: "2G",
    restartUnresponsive: "60s",
    hooks: { failed: "https://hooks.example/secret", ready: "/bin/true" },
    lease: "etcd://127.0.0.1:2379/k",
  },
  db: {},
  claw: { kind: "openclaw", span: 150 },
};

test("a file is applied once, and then nothing is left to do; the same holds for the output of export", async () => {
  const context = scratchContext();
  const file = write(context, EVERY);
  expect(brief(await apply(context, file))).toEqual(["create web", "create db", "create claw"]);
  expect(brief(await planSetFile(context, { file }))).toEqual([]);
  const before = readRegistry(context.home);
  const text = await exportSet(context, ["web", "db", "claw"]);
  expect(text).not.toContain("secret");
  expect(JSON.parse(text)).toMatchObject({ profiles: { web: { env: { MODE: "dev", API_TOKEN: null } } } });
  fs.writeFileSync(file, text);
  expect(await planSetFile(context, { file })).toMatchObject({ changes: [], left: [] });
  await apply(context, file);
  expect(readRegistry(context.home)).toEqual(before);
});

test("a value that leaves the file is removed, a new value is added, and a port is chosen only once", async () => {
  const context = scratchContext();
  await apply(context, write(context, EVERY));
  const { port } = readRegistry(context.home).get("web") ?? {};
  const less = { ...EVERY, web: { command: ["node", "server.js"], span: 12, env: { MODE: "prod" }, groups: ["shop"] } };
  const plan = await apply(context, write(context, less));
  expect(brief(plan)).toHaveLength(1);
  expect(readRegistry(context.home).get("web")).toMatchObject({
    port,
    env: { MODE: "prod" },
    groups: ["shop"],
    health: "tcp",
  });
  for (const field of ["after", "passEnv", "hooks", "lease", "scheme", "end", "memoryMaxBytes", "portEnv"])
    expect(readRegistry(context.home).get("web")).not.toHaveProperty(field);
  expect(brief(await planSetFile(context, { file: write(context, less) }))).toEqual([]);
});

test("no port moves, no protected profile changes, no kind changes, nothing is removed: each of these is named", async () => {
  const context = scratchContext();
  const { home } = context;
  const first = write(context, { a: {}, b: {}, c: {}, d: {} });
  await apply(context, first);
  await editProfile(context, "b", { protected: true });
  await createProfile(home, { name: "mine" });
  const before = readRegistry(home);
  const wish = { a: { port: 30_100 }, b: { groups: ["x"] }, c: { command: ["true"] } };
  const plan = await apply(context, write(context, wish));
  expect(plan.changes).toEqual([]);
  expect(plan.left.map(({ profile, field, weight }) => `${profile} ${field} ${weight}`)).toEqual([
    "a port asked",
    "b null protected",
    "c kind asked",
  ]);
  expect(plan.unmanaged).toEqual(["d", "mine"]);
  expect(readRegistry(home)).toEqual(before);
});

test("a name belongs to one file as long as that file exists; a second checkout takes a prefix", async () => {
  const context = scratchContext();
  const one = write(context, { web: { after: ["db"], groups: ["g"] }, db: {} }, "one/lockkeeper.json");
  const two = write(context, { web: { after: ["db"], groups: ["g"] }, db: {} }, "two/lockkeeper.json");
  await apply(context, one);
  await expect(planSetFile(context, { file: two })).rejects.toMatchObject({ code: "SET_CONFLICT" });
  expect(brief(await apply(context, two, "b-"))).toEqual(["create b-web", "create b-db"]);
  expect(readRegistry(context.home).get("b-web")?.after).toEqual(["b-db"]);
  expect(brief(await planSetFile(context, { file: two, prefix: "b-" }))).toEqual([]);
  fs.rmSync(one);
  expect((await apply(context, two)).claims).toEqual(["web", "db"]);
  expect(readRegistry(context.home).get("web")?.set).toEqual({ file: two, prefix: "" });
});

test("a person's own edit is undone by the file, a kept value stays, and a foreign profile is never claimed unseen", async () => {
  const context = scratchContext();
  const file = write(context, { web: { env: { A: "1", KEY_TOKEN: null } } });
  expect((await apply(context, file)).warnings.join()).toContain("KEY_TOKEN");
  await editProfile(context, "web", { env: { KEY_TOKEN: "s", B: "2" }, groups: ["x"] });
  expect(brief(await apply(context, file))).toEqual(["edit web env.B groups"]);
  expect(readRegistry(context.home).get("web")?.env).toEqual({ A: "1", KEY_TOKEN: "s" });
});

test("nothing happens without consent", async () => {
  const context = scratchContext();
  const file = write(context, { web: {} });
  const agreed = await planSetFile(context, { file });
  write(context, { web: {}, more: {} });
  await expect(applySetFile(context, { file }, agreed)).rejects.toMatchObject({ code: "CONFIRMATION_NEEDED" });
  expect(readRegistry(context.home).size).toBe(0);
});

test("what others have done meanwhile as the file says is done, also when it happens between plan and creation", async () => {
  const context = scratchContext();
  const file = write(context, { a: {}, b: { env: { X: "1" } }, c: {} });
  const agreed = await planSetFile(context, { file });
  await Promise.all(Array.from({ length: 4 }, () => applySetFile(context, { file }, agreed)));
  await applySetFile(context, { file }, agreed);
  expect([...readRegistry(context.home).keys()].toSorted()).toEqual(["a", "b", "c"]);
  expect(brief(await planSetFile(context, { file }))).toEqual([]);
  await editProfile(context, "b", { env: { X: "2" } });
  await expect(applySetFile(context, { file }, agreed)).rejects.toMatchObject({ code: "CONFIRMATION_NEEDED" });
});

test("new profiles are created together or not at all", async () => {
  const context = scratchContext();
  const file = write(context, { a: {}, b: {} });
  fs.mkdirSync(path.join(context.home, "profiles/b"), { recursive: true, mode: 0o700 });
  fs.chmodSync(context.home, 0o700);
  await expect(apply(context, file)).rejects.toMatchObject({ code: "PROFILE_EXISTS" });
  expect(readRegistry(context.home).size).toBe(0);
  expect(fs.existsSync(path.join(context.home, "profiles/a"))).toBe(false);
});

test.each<readonly [string, unknown, string, string]>([
  ["a name that is none", { Web: {} }, "CONFIG_DAMAGED", ':1:14: "Web" is not a profile name'],
  [
    "somebody unknown to come after",
    { web: { after: ["bd"] }, db: {} },
    "CONFIG_DAMAGED",
    ":1:29: after: no profile named bd",
  ],
  [
    "a circle",
    { a: { after: ["b"] }, b: { after: ["a"] } },
    "CONFIG_DAMAGED",
    "a comes after b comes after a: a circle",
  ],
  ["a block that ends too high", { a: { port: 65_530 } }, "CONFIG_DAMAGED", "ends above 65535"],
  [
    "a directory that is missing",
    { a: { command: ["x"], cwd: "nowhere" } },
    "CONFIG_DAMAGED",
    ":1:41: not a valid cwd",
  ],
  [
    "a placeholder that means nothing",
    { a: { command: ["x", "{prot}"] } },
    "CONFIG_DAMAGED",
    ":1:14: a: unknown placeholder",
  ],
  ["two that want one port", { a: { port: 30_000 }, b: { port: 30_005 } }, "PORTS_OVERLAP", "30005-30014 overlaps"],
])("%s is refused before any change", async (_, profiles, code, message) => {
  const context = scratchContext();
  const file = write(context, profiles as Profiles);
  const refused = apply(context, file);
  await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  expect(fs.existsSync(context.home)).toBe(false);
});

test("a file that is a link, missing, a folder, writable by everyone or not text is refused", async () => {
  const context = scratchContext();
  const file = write(context, { web: {} });
  const beside = (name: string): string => path.join(path.dirname(file), name);
  fs.symlinkSync(file, beside("link.json"));
  fs.writeFileSync(beside("bytes.json"), Buffer.from([0x7b, 0xff, 0x7d]));
  fs.writeFileSync(beside("open.json"), "{}");
  fs.chmodSync(beside("open.json"), 0o666);
  for (const [name, code] of [
    ["link.json", "UNSAFE_PATH"],
    ["open.json", "UNSAFE_PATH"],
    ["missing.json", "OPTION_INVALID"],
    [".", "OPTION_INVALID"],
    ["bytes.json", "CONFIG_DAMAGED"],
  ] as const) {
    await expect(planSetFile(context, { file: beside(name) }), name).rejects.toMatchObject({ code });
  }
});

test.skipIf(process.platform === "win32")("what is no plain file is refused, with a hint that fits it", () => {
  const { home } = scratchContext();
  const folder = path.dirname(home);
  const pipe = path.join(folder, "pipe.json");
  expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
  expect(() => readSetFile(pipe)).toThrow(
    expect.objectContaining({ code: "OPTION_INVALID", hint: "Name a plain file." }),
  );
  expect(() => readSetFile(folder)).toThrow(
    expect.objectContaining({ hint: `Name the file: lockkeeper plan -f ${folder}/lockkeeper.json` }),
  );
  fs.rmSync(pipe);
});
