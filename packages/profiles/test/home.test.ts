import { userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveHome } from "../src/home.ts";

test("LOCKKEEPER_HOME, else .lockkeeper in HOME, else in what the system has on record", () => {
  expect(resolveHome({ LOCKKEEPER_HOME: "/a/b/", HOME: "/home/me" })).toBe("/a/b/");
  for (const unset of [undefined, ""]) {
    expect(resolveHome({ LOCKKEEPER_HOME: unset, HOME: "/home/me" })).toBe("/home/me/.lockkeeper");
    expect(resolveHome({ HOME: unset })).toBe(join(userInfo().homedir, ".lockkeeper"));
  }
});

test.each([{ LOCKKEEPER_HOME: "relative" }, { HOME: "relative" }])(
  "%o would be another home in every directory: refused",
  (env) => {
    expect(() => resolveHome(env)).toThrow(/HOME is not an absolute path: "relative"/);
  },
);
