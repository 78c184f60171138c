/** The message about a wrong argument can be written whatever the argument is. */
import { describe, expect, test } from "vitest";
import { optionCheck } from "../src/wrong-options.ts";

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
