import { lchownSync, mkdirSync, symlinkSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { requireOwnDirectory, resolveHome, resolveOwnLink } from "../src/home.ts";
import { openProfiles } from "../src/profiles.ts";
import { scratchHome } from "./scratch-home.ts";

test("LOCKKEEPER_HOME, else .lockkeeper in HOME, else in the home that the system records", () => {
  expect(resolveHome({ LOCKKEEPER_HOME: "/a/b/", HOME: "/home/me" })).toBe("/a/b/");
  for (const unset of [undefined, ""]) {
    expect(resolveHome({ LOCKKEEPER_HOME: unset, HOME: "/home/me" })).toBe("/home/me/.lockkeeper");
    expect(resolveHome({ HOME: unset })).toBe(join(userInfo().homedir, ".lockkeeper"));
  }
});

test("an empty home that a program passes on is none, and not the working directory", async () => {
  const home = scratchHome();
  expect(await openProfiles({ home: "", env: { LOCKKEEPER_HOME: home } })).toMatchObject({ home });
});

test.each([{ LOCKKEEPER_HOME: "relative" }, { HOME: "relative" }])(
  "%o would be another home in every directory: refused",
  (env) => {
    expect(() => resolveHome(env)).toThrow(/HOME is not an absolute path: "relative"/);
  },
);

test("the root of the file system and the user's own home are refused as homes, however they are spelled", async () => {
  const user = scratchHome();
  mkdirSync(user);
  const alias = join(dirname(user), "alias");
  symlinkSync(user, alias);
  for (const home of ["/", user, `${user}/`, alias]) {
    await expect(openProfiles({ env: { LOCKKEEPER_HOME: home, HOME: user } })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      hint: expect.stringContaining("~/.lockkeeper") as string,
    });
  }
  const own = join(user, ".lockkeeper");
  expect(requireOwnDirectory(own, { HOME: user })).toBe(own);
});

test.skipIf(process.geteuid?.() !== 0)(
  "a home that is a link of ours is its target, unless another user may re-point the way there (needs root: chown)",
  async () => {
    const home = scratchHome();
    mkdirSync(home, { mode: 0o700 });
    const [own, their, turn] = ["own", "their", "turn"].map((name) => join(dirname(home), name)) as [
      string,
      string,
      string,
    ];
    symlinkSync(home, own);
    expect(resolveOwnLink(own)).toBe(home);
    symlinkSync(home, their);
    lchownSync(their, 12_345, 12_345);
    symlinkSync(their, turn);
    expect(resolveOwnLink(turn)).toBe(turn);
    const profiles = await openProfiles({ home: turn, env: {} });
    await expect(profiles.create({ name: "dev" })).rejects.toMatchObject({ code: "UNSAFE_PATH" });
  },
);
