import type { ProfileStatus } from "@lockkeeper/profiles";
import { describe, expect, test } from "vitest";
import { describeHealth, renderStatusTable } from "../src/status-table.ts";
import { viewOf } from "../src/terminal/view.ts";

const BASE: ProfileStatus = {
  name: "dev",
  current: false,
  state: "running",
  reason: null,
  kind: "command",
  host: "127.0.0.1",
  port: 20_000,
  span: 10,
  ports: { gateway: 20_000 },
  pid: 4_711,
  keeperPid: 4_710,
  startedAt: "2026-01-01T00:00:00.000Z",
  uptimeMs: 65_000,
  restarts: 2,
  lastExit: null,
  health: "ok",
  healthCheck: "tcp",
  scheme: "ws",
  groups: [],
  url: "ws://127.0.0.1:20000",
  protected: false,
  command: ["node", "server.js"],
  cwd: "/srv",
  memoryBytes: 50 * 1024 * 1024,
  memoryRestartBytes: null,
  memoryMaxBytes: null,
  restartUnresponsiveMs: null,
  manager: "keeper",
  lease: null,
  paths: { profile: "", state: "", config: "", workspace: "", lock: "", logs: "", token: "" } as ProfileStatus["paths"],
};
const longest = { ...BASE, name: "a-name-of-thirty-two-characters1", current: true, protected: true };
const failed: ProfileStatus = {
  ...BASE,
  name: "bad",
  state: "failed",
  reason: "exited with code 3; gave up after 5 crashes in 5 minutes",
  pid: null,
  uptimeMs: null,
};
const stopped: ProfileStatus = { ...BASE, name: "old", state: "stopped", reason: "stopped on request", pid: null };

const at = (columns: number): ReturnType<typeof viewOf> =>
  viewOf({ isTerminal: true, columns }, { NO_COLOR: "1" }, false);
const pipe = viewOf({ isTerminal: false, columns: undefined }, {}, false);

describe("the list", () => {
  test("shows everything where there is room, puts the reason of a failure in its row, and prints no legend into a pipe", () => {
    const [title, dev, bad, old, end] = renderStatusTable([BASE, failed, stopped], pipe).split("\n");
    expect(title).toMatch(/^CURRENT {2}NAME +STATE +KIND +PORTS +PID +UPTIME +RESTARTS +HEALTH +URL +REASON$/);
    expect(dev).toMatch(/dev +running +command +20000-20009 +4711 +1m +2 +ok \(tcp\) +ws:\/\/127\.0\.0\.1:20000/);
    expect(bad).toMatch(/bad +failed .* exited with code 3; gave up after 5 crashes in 5 minutes$/);
    expect(old).not.toContain("on request");
    expect(end).toBe("");
  });

  test("wide adds memory, command and every reason", () => {
    const text = renderStatusTable([BASE, stopped], pipe, true);
    expect(text).toMatch(/HEALTH +MEMORY +URL +COMMAND +REASON\n/);
    expect(text).toMatch(/50 MiB .* node server\.js/);
    expect(text).toContain("stopped on request");
  });

  test.each([20, 40, 60, 80, 100, 160])(
    "at %i columns no line is too long; marks, names and states are there",
    (columns) => {
      for (const wide of [false, true]) {
        const lines = renderStatusTable([longest, failed], at(columns), wide).trimEnd().split("\n");
        for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
        expect(lines[1]).toMatch(/^\*! {2,}a-n\S* +r/);
        expect(lines[2]).toContain("bad");
        expect(lines.at(-1)).toBe("* current  ! protected".slice(0, columns));
      }
    },
  );

  test("at 80 columns the important columns remain: ports, pid, uptime, restarts, health", () => {
    const text = renderStatusTable([BASE], at(80));
    expect(text).toMatch(/NAME +STATE +KIND +PORTS +PID +UPTIME +RESTARTS +HEALTH\n/);
  });
});

test.each([
  ["tcp", "ok (tcp)"],
  ["http", "ok (http)"],
  ["/healthz", "ok"],
  ["none", "not asked"],
])("health by %s reads %s", (healthCheck, text) =>
  expect(describeHealth({ health: "ok", healthCheck, pid: 1, startedAt: null })).toBe(text),
);
