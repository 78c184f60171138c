import { LockkeeperError } from "@lockkeeper/core";
import { describe, expect, test } from "vitest";
import { toArguments } from "../../src/command-line/arguments.ts";
import { COMMANDS } from "../../src/command-line/commands.ts";
import type { OptionName } from "../../src/command-line/options.ts";

function given(
  command: keyof typeof COMMANDS,
  options: Partial<Record<OptionName, true | readonly string[]>>,
): unknown {
  return toArguments(COMMANDS[command], { kind: "call", command, positionals: ["dev"], options, rest: undefined });
}

test.each([
  ["create", { memoryMax: ["2X"] }],
  ["create", { kind: ["comand"] }],
  ["start", { timeout: ["soon"] }],
  ["logs", { since: ["yesterday"] }],
  ["why", { lines: ["0"] }],
] as const)("a wrong value of %s is refused with the command that shows the right ones: %j", (command, options) => {
  expect(() => given(command, options)).toThrow(
    expect.objectContaining({ hint: `See what it takes: lockkeeper ${command} --help` }) as Error,
  );
});

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
  test.each(["0", "-1", "x", "5 s", "1y", "99d99", "Infinity", "40d"])("%j is no timeout", (text) =>
    expect(codeOf(() => given("start", { timeout: [text] }))).toBe("OPTION_INVALID"),
  );
});

describe("sizes", () => {
  test.each(["0", "512", "2X", "-1G", "2 G", "", "1e3M"])("%j is no size", (text) =>
    expect(codeOf(() => given("create", { memoryMax: [text] }))).toBe("OPTION_INVALID"),
  );

  test("counts in units of 1024", () =>
    expect(given("create", { memoryMax: ["2G"] })).toMatchObject({ memoryMax: 2 * 1024 ** 3 }));
});

test("an option that is not given is false, empty or undefined, never missing", () => {
  const lists = ["env", "extraPort", "group", "after", "hook"];
  const flags = ["noPortEnv", "protected", "json", "quiet"];
  const empty = (option: string): unknown => (lists.includes(option) ? [] : flags.includes(option) ? false : undefined);
  const every = [...COMMANDS.create.options, "json", "quiet", "rest"];
  expect(given("create", {})).toEqual({
    name: "dev",
    ...Object.fromEntries(every.map((option) => [option, empty(option)])),
  });
});

test("an option that takes one value is refused when it has two", () => {
  expect(codeOf(() => given("create", { port: ["1", "2"] }))).toBe("USAGE");
  expect(given("create", { env: ["A=1", "B"] })).toMatchObject({ env: ["A=1", "B"] });
});

test("an error for a choice names the choices", () => {
  expect(() => given("create", { kind: ["docker"] })).toThrow(/builtin, command, openclaw.*"docker"/);
});
