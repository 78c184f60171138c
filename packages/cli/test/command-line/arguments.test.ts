import { LockkeeperError } from "@lockkeeper/core";
import { describe, expect, test } from "vitest";
import { parseDurationMs, toArguments } from "../../src/command-line/arguments.ts";
import { COMMANDS } from "../../src/command-line/commands.ts";
import type { OptionName } from "../../src/command-line/options.ts";

function given(
  command: keyof typeof COMMANDS,
  options: Partial<Record<OptionName, true | readonly string[]>>,
): unknown {
  return toArguments(COMMANDS[command], { kind: "call", command, positionals: ["dev"], options, rest: undefined });
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof LockkeeperError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("ports", () => {
  test.each(["-1", "abc", "1.5", "70000", "0", "65536", "", "1e3", "0x50", " 80", "٣", "99999999999"])(
    "%j is refused",
    (text) => expect(codeOf(() => given("create", { port: [text] }))).toMatch(/^(PORT|OPTION)_INVALID$/),
  );

  test.each([
    ["1", 1],
    ["18789", 18_789],
    ["65535", 65_535],
  ])("%j is %i", (text, port) => expect(given("create", { port: [text] })).toMatchObject({ port }));
});

describe("times", () => {
  test.each([
    ["30", 30_000],
    ["30s", 30_000],
    ["500ms", 500],
    ["2m", 120_000],
    ["1.5s", 1_500],
    ["1h", 3_600_000],
  ])("%j is %i ms", (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  test.each(["0", "-1", "x", "5 s", "1y", "99d99", "Infinity", "40d"])("%j is no timeout", (text) =>
    expect(codeOf(() => given("start", { timeout: [text] }))).toBe("OPTION_INVALID"),
  );
});

test("what is not given is false, empty or undefined, never missing", () => {
  expect(given("create", {})).toEqual({
    name: "dev",
    rest: undefined,
    kind: undefined,
    port: undefined,
    span: undefined,
    host: undefined,
    cwd: undefined,
    env: [],
    envFile: undefined,
    extraPort: [],
    health: undefined,
    protected: false,
    json: false,
    quiet: false,
  });
});

test("an option that takes one value is refused when it is given two", () => {
  expect(codeOf(() => given("create", { port: ["1", "2"] }))).toBe("USAGE");
  expect(given("create", { env: ["A=1", "B"] })).toMatchObject({ env: ["A=1", "B"] });
});

test("a choice names the choices", () => {
  expect(() => given("create", { kind: ["docker"] })).toThrow(/builtin, command, openclaw.*"docker"/);
});
