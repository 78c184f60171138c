/** What a set may hold: the published schema and the reader agree, and each error has its line and column. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  dictionary,
  integer,
  oneof,
  property,
  string,
} from "fast-check";
import { expect, test } from "vitest";
import { parseSet } from "../../src/sets/set-document.ts";
import { setKeys } from "../../src/sets/set-keys.ts";
import { setSchema } from "./schema.ts";

const published = new URL("../../../cli/lockkeeper.schema.json", import.meta.url);

/** Returns the message of the refusal, without the file's name. */
function fault(text: string): string {
  try {
    parseSet("set", text);
    return "none";
  } catch (error) {
    expect(error).toMatchObject({ code: "CONFIG_DAMAGED" });
    return String(error).replace(/^LockkeeperError: set:/, "");
  }
}

test("the published schema matches the reader's table", () => {
  expect(JSON.parse(readFileSync(published, "utf8"))).toEqual(setSchema());
});

test("the reader accepts exactly what the schema allows", () => {
  // It comes with conf.
  const fromConf = createRequire(createRequire(import.meta.url).resolve("conf"));
  const { default: Ajv } = fromConf("ajv") as {
    default: new (options: object) => { compile: (schema: unknown) => (value: unknown) => boolean };
  };
  const isAllowed = new Ajv({ strict: false }).compile(setSchema());
  const text = constantFrom("", "a", "http", "group", "10s", "2G", "1536B", "ready", "A_B", "x-1", "command");
  const scalar = oneof(text, integer({ min: -1, max: 70_000 }), boolean(), constant(null), constant(1.5));
  const value = oneof(
    scalar,
    array(scalar, { maxLength: 2 }),
    dictionary(oneof(text, string({ maxLength: 3 })), scalar),
  );
  const key = constantFrom(...Object.keys(setKeys), "", "commands");
  assert(
    property(dictionary(key, value, { maxKeys: 2 }), (profile) => {
      const set = { profiles: { dev: profile } };
      expect({ set, reads: fault(JSON.stringify(set)) === "none" }).toEqual({ set, reads: isAllowed(set) });
    }),
    { numRuns: 2_000 },
  );
});

test("comments and trailing commas are read, and the file needs no byte order mark", () => {
  const [dev] = parseSet("set", `{ // one\n "profiles": { /* two */ "dev": { "groups": ["a",], }, }, }`);
  expect(dev).toMatchObject({ name: "dev", values: { groups: ["a"] } });
  expect(parseSet("set", "{}")).toEqual([]);
});

test.each([
  ["", "1:1: not JSON"],
  ["{\n  profiles: {}\n}", "2:3: not JSON"],
  [`{"profiles":{"dev":{"kind":"command"}}`, "1:39: not JSON"],
  ["[]", "1:1: the file: expected an object, got a list"],
  [`{"profile": {}}`, '1:2: unknown key "profile"'],
  [`{"profiles": {\n  "dev": {\n    "comand": ["x"]}}}`, '3:5: unknown key "comand"'],
  [`{"profiles": {"dev": {},\n"dev": {}}}`, '2:1: profiles: "dev" stands there twice'],
  [`{"profiles": {"dev": {"port": "80"}}}`, "1:31: port: expected a whole number from 1 to 65535, got a string"],
  [`{"profiles": {"dev": {"env": {"A": 1}}}}`, "1:36: env.A: expected a string or null, got 1"],
  [`{"profiles": {"dev": {"env": {"A-B": "1"}}}}`, '1:31: env: not a name: "A-B"'],
  [`{"profiles": {"dev": {"command": "npm start"}}}`, "1:34: command: expected a list of strings, got a string"],
  [`{"profiles": {"dev": {"command": []}}}`, "1:34: command: the list is empty"],
  [`{"profiles": {"dev": {"kind": "comand"}}}`, "1:31: kind: expected builtin or command or openclaw, got a string"],
  [`{"profiles": {"dev": {"stopTimeout": "soon"}}}`, "1:38: stopTimeout: not a valid value: a string"],
  [`{"profiles": {"dev": {"hooks": {"faild": "/x"}}}}`, '1:33: unknown key "faild"'],
  [`{"profiles": {"dev": {"protected": "yes"}}}`, "1:36: protected: expected true or false, got a string"],
  ["[".repeat(200_000), "1:1: nested too deeply"],
])("%s", (text, expected) => {
  expect(fault(text)).toContain(expected);
});
