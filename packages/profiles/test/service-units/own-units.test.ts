/** The units that we write, read back: whatever a path holds, the manager gets exactly the intended words. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseProfileName } from "../../src/profile-name.ts";
import { formatLaunchdPlist } from "../../src/service-units/launchd-plist.ts";
import { formatSystemdUnit, unitOrigin } from "../../src/service-units/systemd-unit.ts";
import { parseLaunchdPlist, parseSystemdUnit } from "../../src/service-units/unit-files.ts";
import { unitName } from "../../src/service-units/unit-name.ts";
import type { UnitPlan } from "../../src/service-units/unit-plan.ts";

const PLAN: UnitPlan = {
  profile: parseProfileName("prod"),
  home: "/home/me/.lockkeeper",
  launcher: ["/usr/bin/node", "/usr/lib/lockkeeper.js"],
  stopTimeoutMs: 25_000,
  notifies: true,
  harden: false,
  mayStandBy: false,
};

/** Characters that occur in real paths, and all characters with a meaning in one of the formats. */
const PATH = fc
  .string({
    unit: fc.constantFrom("a", "é", " ", "%", "$", '"', "'", "\\", "&", "<", ">", ";", "#", "=", "%h", "${X}"),
    minLength: 1,
  })
  .map((name) => `/${name}`);

test("a systemd unit starts exactly the intended words, in exactly that home", () => {
  fc.assert(
    fc.property(PATH, PATH, PATH, (home, node, entry) => {
      const unit = parseSystemdUnit([formatSystemdUnit({ ...PLAN, home, launcher: [node, entry] }, "u.service")]);
      // systemd reads `$$` as one `$`; our own reader leaves it as it is.
      expect(unit?.argv.map((word) => word.replaceAll("$$", "$"))).toEqual([
        node,
        entry,
        "run",
        "prod",
        "--supervised",
      ]);
      expect(unit?.environment).toEqual({ LOCKKEEPER_HOME: home });
    }),
  );
});

test("a launchd agent starts exactly the intended words, in exactly that home", () => {
  fc.assert(
    fc.property(PATH, PATH, PATH, (home, node, entry) => {
      const agent = parseLaunchdPlist(
        formatLaunchdPlist({ ...PLAN, home, launcher: [node, entry] }, "dev.lockkeeper.prod"),
      );
      expect(agent?.argv).toEqual([node, entry, "run", "prod", "--supervised"]);
      expect(agent?.environment).toEqual({ LOCKKEEPER_HOME: home });
    }),
  );
});

test("a launchd agent is restarted only after a failure, and has time to stop", () => {
  const plist = formatLaunchdPlist(PLAN, "dev.lockkeeper.prod");
  expect(plist).toMatch(/<key>KeepAlive<\/key>\s*<dict>\s*<key>SuccessfulExit<\/key>\s*<false\/>/);
  expect(plist).toMatch(/<key>ExitTimeOut<\/key>\s*<integer>25<\/integer>/);
  expect(plist).toMatch(/<key>Umask<\/key>\s*<integer>63<\/integer>/);
});

describe("a systemd unit", () => {
  test("reports when it is ready, never retries after 78, and restarts after a stranger's SIGTERM", () => {
    const lines = formatSystemdUnit(PLAN, "u.service").split("\n");
    for (const line of [
      "Type=notify",
      "NotifyAccess=all",
      "RestartPreventExitStatus=78",
      "SuccessExitStatus=143",
      "RestartForceExitStatus=143",
      "KillMode=mixed",
      "TimeoutStopSec=25",
      "WantedBy=default.target",
    ]) {
      expect(lines).toContain(line);
    }
  });

  test("waits after the start where no readiness can be reported", () => {
    const text = formatSystemdUnit({ ...PLAN, notifies: false }, "u.service");
    expect(text).toContain("Type=exec");
    expect(text).toMatch(/^ExecStartPost=.*"wait" "prod"/m);
    expect(text).not.toContain("NotifyAccess");
  });

  test("has a watchdog, a limit, hardening and a user only on request", () => {
    const plain = formatSystemdUnit(PLAN, "u.service");
    expect(plain).not.toMatch(/WatchdogSec|MemoryMax|NoNewPrivileges|User=/);
    const full = { ...PLAN, watchdogMs: 60_000, memoryMaxBytes: 1024, harden: true, user: "me" };
    const text = formatSystemdUnit(full, "u.service");
    for (const line of [
      "WatchdogSec=60",
      "MemoryMax=1024",
      "NoNewPrivileges=yes",
      "User=me",
      "WantedBy=multi-user.target",
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    // Options that end Node after a good start are never added.
    expect(text).not.toMatch(/MemoryDenyWriteExecute|SystemCallFilter/);
  });

  test("distinguishes its own text from an edited one and from a stranger's", () => {
    const text = formatSystemdUnit(PLAN, "u.service");
    expect(unitOrigin(text)).toBe("ours");
    expect(unitOrigin(text.replace("RestartSec=2", "RestartSec=9"))).toBe("edited");
    expect(unitOrigin(`${text}\n# mine`)).toBe("edited");
    expect(unitOrigin("[Service]\nExecStart=/bin/true\n")).toBe("foreign");
    expect(unitOrigin("")).toBe("foreign");
  });
});

test("units of two homes have different names", () => {
  const names = ["/srv/a", "/srv/b"].map((home) => unitName("systemd-user", home, "prod"));
  expect(new Set(names).size).toBe(2);
  for (const name of names) expect(name).toMatch(/^lockkeeper-[0-9a-f]{8}-prod\.service$/);
});
