/** What remains known of a gateway that has ended. No secret is in it. */
import { readFileSync } from "node:fs";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { signalProcess } from "../../src/host/process-signal.ts";
import { readHistory } from "../../src/keeper/history.ts";
import type { HistoryEvent } from "../../src/keeper/history.ts";
import { formsOf, withoutSecrets } from "../../src/keeper/redaction.ts";
import { uptimeShare } from "../../src/keeper/uptime-share.ts";
import { NEVER_UNWELL, wellBeingAfter } from "../../src/keeper/well-being.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { KeeperScene } from "./kept-gateway.ts";

let scene: KeeperScene;

beforeEach(() => {
  scene = new KeeperScene();
});

afterEach(() => scene.end());

describe("a crash", () => {
  test("leaves its last lines, its memory and the restart in the history, and none of its secrets", async () => {
    const port = await freePort();
    const secrets = ["canary/one two", "-----BEGIN KEY-----\ncanary-line-of-a-key\n-----END KEY-----"];
    const env = { PATH: process.env["PATH"] ?? "", SECRETS: JSON.stringify(secrets) };
    const kept = scene.keep(scene.spec("tells-secrets.js", [port], { port, env, secrets }));
    const { gateway } = await kept.until("running");
    // Its memory is measured after it was called running, in the same turn of this process, in which the keeper runs.
    await new Promise((turned) => setImmediate(turned));
    if (gateway !== null) signalProcess(gateway, "SIGUSR2");
    const again = await kept.until(({ state, restarts }) => state === "running" && restarts === 1);
    expect(again.lastUnhealthyAt).toBe(again.lastExit?.at);
    expect(again.healthySince).toBe(again.since);
    await kept.stop();
    const ends = readHistory(kept.spec.eventsPath).filter(({ exit }) => exit !== null);
    expect(ends[0]).toMatchObject({ exit: { code: 3 }, restarts: 1, output: { printed: 9 } });
    if (process.platform === "linux") expect(ends[0]?.memoryBytes).toBeGreaterThan(2 ** 20);
    expect(ends[0]?.output?.lines.at(-1)).toBe("and that was the end");
    const kepts = readFileSync(kept.spec.eventsPath, "utf8") + readFileSync(kept.spec.runRecordPath, "utf8");
    expect(kepts).not.toContain("canary");
    // The log itself belongs to the gateway.
    expect(kept.readLog()).toContain("canary");
    for (const line of kepts.split("\n")) expect(Buffer.byteLength(line)).toBeLessThan(8 * 1_024);
  });
});

describe("redaction", () => {
  test("leaves nothing of a known secret, in any form, whatever is around it", () => {
    const secret = fc.string({ minLength: 6, maxLength: 30, unit: fc.constantFrom(...'ab/ +%&"\\é\n') });
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 4 }),
        fc.string(),
        fc.string(),
        (secrets, before, after) => {
          const forms = formsOf(secrets);
          for (const value of secrets.map((each) => each.trim()).filter((each) => each.length >= 6)) {
            for (const form of [value, encodeURIComponent(value), JSON.stringify(value)]) {
              expect(withoutSecrets(`${before}${form}${after}`, forms).includes(value)).toBe(false);
            }
          }
        },
      ),
    );
  });

  test.each([
    ["API_KEY=canary12345 rest", "API_KEY=*** rest"],
    ['{"botToken": "canary12345"}', '{"botToken": "***"}'],
    ["Authorization: Bearer canary.12345", "Authorization: Bearer ***"],
    ["connect postgres://me:canary12345@db/x", "connect postgres://***@db/x"],
    ["token bucket is empty", "token bucket is empty"],
  ])("removes a value whose name looks secret: %s", (text, expected) => {
    expect(withoutSecrets(text, [])).toBe(expected);
  });
});

const event = (at: number, state: HistoryEvent["state"]): HistoryEvent => ({
  at: new Date(at).toISOString(),
  state,
  reason: null,
  code: null,
  pid: null,
  keeperPid: 1,
  restarts: 0,
  exit: null,
});

describe("the share of a time in which it was running", () => {
  test("leaves out requested stops and unknown time", () => {
    const events = [
      event(0, "running"),
      event(60_000, "unresponsive"),
      event(80_000, "stopped"),
      event(90_000, "running"),
    ];
    expect(uptimeShare(events, "running", 0, 110_000)).toBe(0.8);
    expect(uptimeShare(events, "orphaned", 0, 110_000)).toBe(0.75);
    expect(uptimeShare(events, "running", 85_000, 110_000)).toBe(1);
    const note = { ...event(100_000, "stopped"), note: true } as const;
    expect(uptimeShare([...events, note], "running", 0, 110_000)).toBe(0.8);
    expect(uptimeShare([], "stopped", 0, 110_000)).toBeNull();
    expect(uptimeShare([event(0, "stopped")], "stopped", 0, 110_000)).toBeNull();
  });

  test("is between 0 and 1, whatever the clock did", () => {
    const state = fc.constantFrom("running", "failed", "stopped", "starting", "unresponsive", "standby" as const);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1_000_000), state)),
        fc.nat(1_000_000),
        fc.nat(1_000_000),
        (all, from, now) => {
          const share = uptimeShare(
            all.map(([at, word]) => event(at, word)),
            "running",
            from,
            now,
          );
          if (share !== null) expect(share >= 0 && share <= 1).toBe(true);
        },
      ),
    );
  });
});

describe("the history of a run", () => {
  test("counts as down from the first report until it serves, through stops and starts", () => {
    const states = fc.constantFrom(
      "starting",
      "running",
      "unresponsive",
      "stopping",
      "stopped",
      "failed",
      "blocked" as const,
    );
    fc.assert(
      fc.property(fc.array(states), (all) => {
        let wellBeing = NEVER_UNWELL;
        let down = false;
        for (const [index, state] of all.entries()) {
          wellBeing = wellBeingAfter(wellBeing, state, null, new Date(index).toISOString());
          if (state === "running") down = false;
          if (state === "unresponsive" || state === "failed" || state === "blocked") down = true;
          expect(wellBeing.downSince !== null).toBe(down);
          expect(wellBeing.healthySince !== null).toBe(state === "running");
        }
      }),
    );
  });
});
