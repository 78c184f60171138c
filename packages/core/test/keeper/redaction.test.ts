import { expect, test } from "vitest";
import { formsOf, withoutSecrets } from "../../src/keeper/redaction.ts";

test.each([
  ["GATEWAY_TOKEN=abcd1234", "GATEWAY_TOKEN=***"],
  ['{"apiKey": "abcd1234"}', '{"apiKey": "***"}'],
  ["Passphrase: abcd1234, and more", "Passphrase: ***, and more"],
  ["PASSWD=abcd1234", "PASSWD=***"],
  ["private-key : abcd1234", "private-key : ***"],
  ["Credentials=abcd1234", "Credentials=***"],
  ["authorization: BEARER abcd1234ef", "authorization: BEARER ***"],
  ["basic abcd1234ef", "basic ***"],
  ["to HTTPS://user:pass@host/x", "to HTTPS://***@host/x"],
  ["a token is needed: see basic.md@keys", "a token is needed: see basic.md@keys"],
  ["listening on ws://127.0.0.1:18789", "listening on ws://127.0.0.1:18789"],
])("what a name or a sign identifies is hidden, in any case, and nothing else: %s", (text, shown) => {
  expect(withoutSecrets(text, [])).toBe(shown);
});

test("a known secret is hidden in every form, its lines too, whatever characters it has", () => {
  const secret = "first line\r\nsecond\tline/ä\ud800";
  const line = "second\tline/ä";
  const shown = [secret, "first line", `${line}\ud800`, encodeURIComponent(line), JSON.stringify(secret)];
  for (const text of shown) expect(withoutSecrets(`<${text}>`, formsOf([secret])), text).toContain("***");
  expect(formsOf(["short"])).toEqual([]);
});
