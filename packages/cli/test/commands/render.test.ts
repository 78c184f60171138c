import type { TakeoverPlan } from "@lockkeeper/profiles";
import { describe, expect, test } from "vitest";
import { describeCopy, render as renderClone } from "../../src/commands/clone.ts";
import { render as renderConfig } from "../../src/commands/config.ts";
import { render as renderDiscovery } from "../../src/commands/discover.ts";
import type { ShownGateway } from "../../src/commands/discover.ts";
import { render as renderDiagnosis } from "../../src/commands/doctor.ts";
import { describePlan } from "../../src/commands/takeover.ts";
import { viewOf } from "../../src/terminal/view.ts";

const view = viewOf({ isTerminal: true, columns: 80 }, { NO_COLOR: "1" }, false);

describe("doctor", () => {
  test("a finding shows its severity, its evidence and one command; the summary comes last", () => {
    const text = renderDiagnosis(
      {
        findings: [
          {
            weight: "error",
            code: "port-conflict",
            title: "port 1 of dev is held by another process",
            evidence: ["pid 7 (evil \u001B[2J), user ann"],
            command: "lockkeeper ports --explain 1",
            hint: null,
            fix: null,
          },
          {
            weight: "warning",
            code: "leftover",
            title: "left",
            evidence: [],
            command: null,
            hint: "Wait.",
            fix: "sweep it",
          },
          {
            weight: "unknown",
            code: "clock",
            title: "cannot tell",
            evidence: [],
            command: null,
            hint: null,
            fix: null,
          },
        ],
        repaired: ["close it"],
      },
      view,
    );
    expect(text).toBe(`\
repaired  close it
error    port 1 of dev is held by another process
         seen: pid 7 (evil \\x1b[2J), user ann
         -> lockkeeper ports --explain 1
warning  left
         -> Wait.
unknown  cannot tell
1 error, 1 warning, 1 unknown; can be put right at once: 1 (lockkeeper doctor --fix)
`);
  });

  test("says so when nothing was found", () =>
    expect(renderDiagnosis({ findings: [], repaired: [] }, view)).toBe("No problems found.\n"));
});

describe("discover", () => {
  const gateway: ShownGateway = {
    sources: ["disk"],
    name: "work",
    program: "openclaw",
    host: "127.0.0.1",
    port: 18_900,
    portSource: "config",
    listening: ["127.0.0.1"],
    ranges: [],
    owner: null,
    health: "ok",
    managers: [{ kind: "unit", unit: { manager: "systemd-user", name: "openclaw-gateway-work.service", path: "/u" } }],
    stateDir: "/s",
    configPath: "/c",
    overlaps: [{ kind: "ports", with: "other", what: "18902" }],
    notes: ["odd"],
    adopt: "lockkeeper import openclaw work",
  };
  const other = {
    ...gateway,
    name: "other",
    overlaps: [{ kind: "ports", with: "work", what: "18902" } as const],
    notes: [],
  };

  test("one row for each, each overlap once, the adopting commands last", () => {
    const text = renderDiscovery(
      {
        gateways: [gateway, other],
        looked: [],
        listeners: "seen",
        faults: ["a broken registry"],
        adopt: [String(gateway.adopt)],
      },
      { ...view, columns: 120 },
    );
    expect(text).toMatch(/^NAME +PROGRAM +PORT +READ FROM +ANSWERS +PID +USER +RUN BY\n/);
    expect(text).toMatch(/^work +openclaw +18900 +config +ok +not visible +- +openclaw-gateway-work\.service$/m);
    expect(text.match(/overlap: other and work: ports 18902/g)).toHaveLength(1);
    expect(text).toContain("fault: a broken registry\n");
    expect(text).toContain("note: work: odd\n");
    expect(text.endsWith("to adopt:\n  lockkeeper import openclaw work\n")).toBe(true);
  });
});

test("takeover shows both managers, the steps, and what our gateway will lack", () => {
  const plan: TakeoverPlan = {
    profile: "work",
    host: "127.0.0.1",
    port: 18_900,
    old: { kind: "unit", pid: 7, name: "openclaw-gateway.service", enabled: "yes" },
    steps: ["stop the old gateway", "start ours"],
    leftBehind: ["TELEGRAM_BOT_TOKEN"],
    warnings: ["it moves from port 1 to 2"],
    grave: ["the config names variables that the gateway will not have: KEY"],
  };
  expect(describePlan(plan)).toEqual([
    "now:  openclaw-gateway.service (unit, pid 7, starts by itself) runs the gateway on port 18900",
    "then: one of our keepers runs it as work",
    "  1. stop the old gateway",
    "  2. start ours",
    "note: it moves from port 1 to 2",
    "variables of the old gateway that ours will not have: TELEGRAM_BOT_TOKEN",
    "attention: the config names variables that the gateway will not have: KEY",
  ]);
});

describe("clone", () => {
  test("progress counts bytes, and files where all are empty", () => {
    expect(describeCopy({ files: 1, totalFiles: 4, bytes: 512, totalBytes: 1_024 }, false)).toBe(
      "copying 50% of 4 files, 1.0 KiB",
    );
    expect(describeCopy({ files: 1, totalFiles: 4, bytes: 0, totalBytes: 0 }, true)).toContain(
      "]  25% of 4 files, 0 B",
    );
  });

  test("lists what it left behind", () => {
    const text = renderClone(
      {
        status: { name: "copy", port: 20_000, span: 10 } as Parameters<typeof renderClone>[0]["status"],
        copied: { files: 1, bytes: 5 },
        leftBehind: [{ kind: "credentials", what: "state/credentials" }],
        restarted: false,
      },
      view,
    );
    expect(text).toBe(
      "copy created: ports 20000-20009, 1 file (5 B) copied\nleft behind:\n  credentials  state/credentials\n",
    );
  });

  test("counts no files where there was nothing to copy", () => {
    const status = { name: "copy", port: 20_000, span: 10 } as Parameters<typeof renderClone>[0]["status"];
    const empty = { status, copied: { files: 0, bytes: 0 }, leftBehind: [], restarted: false };
    expect(renderClone(empty, view)).toBe("copy created: ports 20000-20009, nothing to copy\n");
  });
});

describe("config", () => {
  const change = {
    path: "/h/config.json",
    profile: null,
    key: "poolLast",
    before: 1,
    after: 2,
    takesEffect: "now",
  } as const;

  test("a change is shown as a difference; a dry run says that nothing has changed yet", () => {
    const diff = ["- poolLast: 1", "+ poolLast: 2"];
    expect(renderConfig({ ...change, outcome: "changed", diff }, view)).toBe(
      "/h/config.json\n- poolLast: 1\n+ poolLast: 2\n",
    );
    expect(renderConfig({ ...change, outcome: "would-change", diff }, view)).toContain(
      "/h/config.json (not written)\n",
    );
    expect(renderConfig({ ...change, outcome: "unchanged", diff: [] }, view)).toBe(
      "poolLast is that already: /h/config.json\n",
    );
  });

  test("quiet prints the bare value", () => {
    const entries = [{ key: "poolLast", value: 2, set: "yes", description: "" } as const];
    expect(renderConfig({ path: "/h", profile: null, entries }, { ...view, quiet: true })).toBe("2\n");
  });
});
