import { expect, test } from "vitest";
import { candidates } from "../../src/command-line/candidates.ts";
import type { KnownWords } from "../../src/command-line/candidates.ts";
import { COMMANDS } from "../../src/command-line/commands.ts";

const known: KnownWords = {
  profiles: async () => ["dev", "prod"],
  trash: async () => ["old"],
  settings: async () => ["poolFirst", "poolLast"],
};

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
  [["restore", ""], ["old"]],
  [["trash", "e"], ["empty"]],
  [["trash", "empty", ""], ["old"]],
  [["config", "get", "poolL"], ["poolLast"]],
  [["help", "wh"], ["why"]],
])("%j offers %j", async (words, expected) => {
  expect((await candidates(COMMANDS, words, known)).map(({ word }) => word)).toEqual(expected);
});
