/** The message about a wrong argument can be written whatever the argument is. */
import { describe, expect, test } from "vitest";
import { followLog, inspectGatewayLock, lockPathFor, probeHealth, readHistory, readLog } from "../src/index.ts";
import { optionCheck, refuseUnknownOptions } from "../src/wrong-options.ts";

const bare: unknown = Object.create(null);
const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;
const trap: unknown = new Proxy(
  {},
  {
    get() {
      throw new Error("the argument's own code ran");
    },
  },
);

describe("optionCheck", () => {
  test.each([
    ["a text", "dev", '"dev"'],
    ["a number", Number.NaN, "NaN"],
    ["a bigint", 1n, "1"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["an object", { kind: "none" }, "{ kind: 'none' }"],
    ["an array with a bigint", [1n], "[ 1n ]"],
    ["an object without a prototype", bare, "[Object: null prototype] {}"],
    ["an object that contains itself", cyclic, "<ref *1> { self: [Circular *1] }"],
    ["a proxy that throws", trap, "{}"],
    ["an object with a text of its own", { toString: () => "fine" }, "{ toString: [Function: toString] }"],
  ])("names %s", (_label, value, text) => {
    expect(() => optionCheck("status")("name", value, "a profile", () => false)).toThrow(
      new TypeError(`status: expected name to be a profile, got ${text}`),
    );
  });
});

const wait = (timeoutMs: unknown) => () => refuseUnknownOptions("stop", { timeoutMs }, { timeoutMs: "milliseconds" });
const read = (lines: unknown) => () => refuseUnknownOptions("log", { lines }, { lines: "count" });

describe("refuseUnknownOptions", () => {
  test.each([0, 0.5, 10_000, 2_147_483_647])("%s is a time to wait", (timeoutMs) =>
    expect(wait(timeoutMs)).not.toThrow(),
  );
  test.each([-1, Number.NaN, Infinity, 2 ** 31, "5", 5n])(
    "%s is none: a timer would make a millisecond of the longest ones",
    (timeoutMs) =>
      expect(wait(timeoutMs)).toThrow("stop: expected the option timeoutMs to be milliseconds from 0 to 2147483647"),
  );
  test.each([0, 1, 1e9])("%s is a count", (lines) => expect(read(lines)).not.toThrow());
  test.each([-1, 1.5, Number.NaN, "5"])("%s is no count", (lines) =>
    expect(read(lines)).toThrow("log: expected the option lines to be a whole number from 0"),
  );
});

/** As a program in plain JavaScript calls them. */
type Loose = (...given: readonly unknown[]) => unknown;

describe("the functions of the library", () => {
  const functions: readonly (readonly [name: string, call: Loose])[] = [
    ["probeHealth", probeHealth as Loose],
    ["inspectGatewayLock", inspectGatewayLock as Loose],
    ["lockPathFor", lockPathFor as Loose],
    ["readHistory", readHistory as Loose],
    ["readLog", readLog as Loose],
    ["followLog", async (...given) => (followLog as (...all: readonly unknown[]) => AsyncGenerator)(...given).next()],
  ];
  for (const [name, call] of functions) {
    test.each([[[]], [[null]], [[5]], [[{}]], [[""]], [[{ host: "", port: 1 }]], [[{ lockDir: "", configPath: "x" }]]])(
      `${name} says what it expected instead of %j`,
      async (given) => {
        const expected: unknown = expect.objectContaining({
          message: expect.stringMatching(`^${name}: expected `) as string,
        });
        await expect(Promise.resolve().then(() => call(...given))).rejects.toEqual(expected);
      },
    );
  }

  test("a health probe waits no time that a timer cannot wait", async () => {
    const probe = { host: "127.0.0.1", port: 1, timeoutMs: Infinity };
    await expect(probeHealth(probe)).rejects.toThrow(TypeError);
  });
});
