import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePort } from "../src/port-number.ts";
import { freeName, isProfileName, parseProfileName } from "../src/profile-name.ts";
import { profilePaths } from "../src/profile-paths.ts";

describe("parseProfileName", () => {
  test.each(["dev", "a", "0", "api-2", "x".repeat(32), "com0", "lpt10", "install", "con-1"])("accepts %s", (name) => {
    expect(parseProfileName(name)).toBe(name);
  });

  test.each(["", "..", ".", "a/b", "a\\b", "A", "a b", "-a", "a_ö", "a;b", "x".repeat(33), "dev\n", "\0", "CON"])(
    "refuses %j",
    (name) => {
      expect(() => parseProfileName(name)).toThrow(expect.objectContaining({ code: "PROFILE_NAME_INVALID" }));
    },
  );

  test.each(["all", "default", "none", "con", "prn", "aux", "nul", "com1", "com9", "lpt1", "lpt9"])(
    "refuses the reserved word %s",
    (name) => {
      expect(() => parseProfileName(name)).toThrow("is reserved");
    },
  );

  test("says what is wrong and what would be right", () => {
    expect(() => parseProfileName("A b")).toThrow(
      expect.objectContaining({
        message: '"A b" is not a profile name',
        hint: expect.stringMatching(/^Use .*: (?:[a-z0-9-]+, )+[a-z0-9-]+\.$/),
      }),
    );
  });

  test("a reserved word at the end of a wrong name is not the fault", () => {
    expect(() => parseProfileName("A-none")).toThrow("is not a profile name");
  });

  test("refuses what is no text, also where its words would be a name", () => {
    expect(isProfileName(undefined)).toBe(false);
    for (const value of [undefined, ["dev"], ["all"]])
      expect(() => parseProfileName(value as never)).toThrow("is not a profile name");
  });

  test("an accepted name never leads out of the home", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9./-]{0,34}$/)), (text) => {
        if (!isProfileName(text)) return;
        expect(profilePaths("/home", text).profile).toBe(`/home/profiles/${text}`);
        expect(text).toMatch(/^[a-z0-9-]+$/);
      }),
    );
  });
});

const freeOf = (name: string, ...taken: readonly string[]): string =>
  freeName(parseProfileName(name), (free) => !taken.includes(free));

test("a free name ends with the lowest number from 2 on, and is not too long", () => {
  expect(freeOf("dev")).toBe("dev-2");
  expect(freeOf("dev", "dev-2", "dev-4")).toBe("dev-3");
  expect(freeOf("x".repeat(32))).toBe(`${"x".repeat(30)}-2`);
  const upToNine = Array.from({ length: 8 }, (_, index) => `${"x".repeat(30)}-${index + 2}`);
  expect(freeOf("x".repeat(31), ...upToNine)).toBe(`${"x".repeat(29)}-10`);
});

describe("parsePort", () => {
  test.each([1, 80, 65_535, "18789"])("accepts %j", (value) => expect(parsePort(value)).toBe(Number(value)));
  test.each([
    0,
    65_536,
    70_000,
    -1,
    1.5,
    Number.NaN,
    "0",
    "70000",
    "abc",
    "1.5",
    "-1",
    "",
    " 80",
    "80 ",
    "0x50",
    "1e3",
    "٣",
  ])("refuses %j", (value) => {
    expect(() => parsePort(value)).toThrow(expect.objectContaining({ code: "PORT_INVALID" }));
  });
});
