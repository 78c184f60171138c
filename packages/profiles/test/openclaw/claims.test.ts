import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimedRanges, extraRanges } from "../../src/openclaw/claims.ts";

describe("claimedRanges", () => {
  test("base, derived ports, and every explicit override", () => {
    const config = {
      browser: {
        cdpPortRangeStart: 27_000,
        cdpUrl: "http://127.0.0.1:28000",
        profiles: {
          work: { cdpPort: 29_000 },
          far: { cdpUrl: "http://10.0.0.9:9222" },
          near: { cdpUrl: "ws://[::1]:29500" },
        },
      },
    };
    expect(claimedRanges(config, 19_500).map(({ first, last }) => [first, last])).toEqual([
      [19_500, 19_610],
      [27_000, 27_099],
      [28_000, 28_000],
      [29_000, 29_000],
      [29_500, 29_500],
    ]);
    expect(extraRanges({ browser: { profiles: [null, 5] } })).toEqual([]);
  });

  test("channels with a port of their own use the same one in every profile that sets no other", () => {
    const config = {
      channels: {
        msteams: { webhook: { port: 3_999 } },
        telegram: { botToken: "1:a" },
        signal: { account: "+1" },
        "nextcloud-talk": { enabled: false },
      },
      plugins: { entries: { "voice-call": { config: {} } } },
      hooks: { gmail: { account: "a@b.c" } },
    };
    expect(extraRanges(config).map(({ label, first }) => [label, first])).toEqual([
      ["channels.msteams", 3_999],
      ["channels.signal", 8_080],
      ["hooks.gmail", 8_788],
      ["plugins.entries.voice-call", 3_334],
    ]);
    expect(extraRanges({ channels: { telegram: { webhookUrl: "https://a" } } })[0]?.first).toBe(8_787);
    expect(extraRanges({ channels: { signal: { transport: { kind: "container" } } } })).toEqual([]);
  });

  test("any document at all is read without an error", () => {
    fc.assert(fc.property(fc.jsonValue(), (document) => void claimedRanges(document, 20_000)));
  });
});
