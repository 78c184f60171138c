/** The bundle escapes characters beyond ASCII: fewer bytes in memory, and the same meaning. */
import { createRequire } from "node:module";
import { expect, test } from "vitest";

const require = createRequire(import.meta.url);
const { oneByte } = require("../../bundle/one-byte.js") as { oneByte: (code: string) => { toString: () => string } };

test.each(["'…'", "`a ${1}→\u200d`", "'😀'.length", "/[à-ü–]/.test('é')", "/^…$/u.test('…')", "'\\u2028 \\\\…'"])(
  "writes %s such that it means the same",
  (expression) => {
    const written = oneByte(`return ${expression};`).toString();
    expect(written).toMatch(/^[\0-\x7f]*$/);
    expect(new Function(written)()).toBe(new Function(`return ${expression};`)());
  },
);
