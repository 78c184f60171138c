import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GATEWAY_LIMITS } from "../../src/gateway/gateway-limits.ts";

test("docs/gateway.md lists every limit with its default, and nothing else", () => {
  const page = readFileSync(new URL("../../../../docs/gateway.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` +\| ([\d,]+) +\| (.+?) +\|$/gm)];
  expect(rows.map(([, name, value, what]) => [name, Number(value?.replaceAll(",", "")), what])).toEqual(
    Object.entries(GATEWAY_LIMITS).map(([name, limit]) => [name, limit.default, limit.what]),
  );
});
