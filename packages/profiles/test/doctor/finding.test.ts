import { expect, test } from "vitest";
import { adviceOf } from "../../src/doctor/finding.ts";

test.each([
  ["lockkeeper why api", { command: "lockkeeper why api" }],
  ["Move it away: mv '/a b' /c", { command: "mv '/a b' /c", hint: "Move it away: mv '/a b' /c" }],
  ["Then: again: chmod 600 /a", { command: "chmod 600 /a", hint: "Then: again: chmod 600 /a" }],
  ["Free space on that disk, then run it again.", { command: null }],
  ["Say so: lockkeeper edit api --lease <address>", { command: null }],
  ["Give one: lockkeeper use NAME", { command: null }],
  ["Set it: remount the disk", { command: null }],
  [null, { command: null }],
])("of the hint %j, what can be pasted is the command", (hint, expected) => {
  const { command, hint: sentence } = adviceOf(hint);
  expect(command).toBe(expected.command);
  if (hint !== null && command !== hint) expect(sentence).toBe(hint);
});
