import { execFileSync } from "node:child_process";
import { assert, array, property, string } from "fast-check";
import { expect, test } from "vitest";
import { shellCommand, shellQuote } from "../src/shell-quote.ts";

test.each([
  ["dev", "dev"],
  ["/srv/a-b_c.json", "/srv/a-b_c.json"],
  ["--env=A=1", "--env=A=1"],
  ["/srv/lk home/config.json", "'/srv/lk home/config.json'"],
  ["it's", `'it'\\''s'`],
  ["{port}", "'{port}'"],
  ["~", "'~'"],
  ["=ls", "'=ls'"],
  ["", "''"],
  ["a\u001B[2Jb", `"$(printf '\\141\\033\\133\\062\\112\\142')"`],
])("%j is quoted as %s", (word, quoted) => expect(shellQuote(word)).toBe(quoted));

/** Returns the words that sh reads, each ended by a zero byte. */
function readBySh(command: string): readonly string[] {
  const words = execFileSync("sh", ["-c", `printf '%s\\0' ${command}`], { encoding: "utf8", env: {} });
  return words.split("\0").slice(0, -1);
}

test("sh reads every word unchanged, whatever it holds, and no raw control character is shown", () => {
  const word = string({ unit: "binary" }).map((text) => text.replaceAll("\0", ""));
  assert(
    property(array(word, { minLength: 1, maxLength: 4 }), (words) => {
      const command = shellCommand(...words);
      expect(readBySh(command)).toEqual(words);
      // oxlint-disable-next-line no-control-regex
      expect(command).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/);
    }),
    { numRuns: 60 },
  );
});
