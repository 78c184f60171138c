import { expect, test } from "vitest";
import { candidates } from "../../src/command-line/candidates.ts";
import { COMMANDS } from "../../src/command-line/commands.ts";

const profiles = async (): Promise<readonly string[]> => ["dev", "prod"];

test.each<[readonly string[], readonly string[]]>([
  [["sta"], ["status", "start"]],
  [
    ["start", ""],
    ["dev", "prod"],
  ],
  [["start", "dev", "p"], ["prod"]],
  [["start", "--rep"], ["--replace"]],
  [
    ["stop", "--confirm", ""],
    ["dev", "prod"],
  ],
  [["create", ""], []],
  [
    ["create", "x", "--kind", ""],
    ["builtin", "command", "openclaw"],
  ],
  [["create", "x", "--", "no"], []],
  [["completion", "z"], ["zsh"]],
  [["status", "dev", ""], []],
  [["nope", ""], []],
])("%j offers %j", async (words, expected) => {
  expect(await candidates(COMMANDS, words, profiles)).toEqual(expected);
});
