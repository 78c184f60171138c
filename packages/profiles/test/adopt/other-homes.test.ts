/** Gateways with another home or another user are gateways of their own, and never mine because of their name. */
import path from "node:path";
import { expect, test } from "vitest";
import { importGateways } from "../../src/adopt/import.ts";
import { discoverGateways } from "../../src/discover/discover.ts";
import { diagnose } from "../../src/doctor/diagnose.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { openClawHost } from "../openclaw-host.ts";
import type { OpenClawHost } from "../openclaw-host.ts";

/** My own gateway in my home, and another one in `srv/a`, run by an enabled unit that differs by the given line. */
function twoHomes(unitLine: (other: string) => string): { readonly host: OpenClawHost; readonly other: string } {
  const host = openClawHost();
  const other = path.join(host.userHome, "srv/a");
  const unit = "openclaw-gateway-a.service";
  host.put({
    ".openclaw/openclaw.json": '{"gateway": {"mode": "local", "port": 31000}}',
    "srv/a/.openclaw/openclaw.json":
      '{"gateway": {"mode": "local", "port": 31200}, "agents": {"defaults": {"workspace": "~/.openclaw/workspace"}}}',
    [`.config/systemd/user/${unit}`]: `[Service]\nExecStart=/srv/openclaw gateway run\nWorkingDirectory=${other}\n${unitLine(other)}\n`,
    [`.config/systemd/user/default.target.wants/${unit}`]: "",
  });
  return { host, other };
}

test.each([
  ["HOME", (other: string): string => `Environment=HOME=${other} OPENCLAW_PROFILE=default`],
  ["OPENCLAW_HOME", (other: string): string => `Environment=OPENCLAW_HOME=${other} OPENCLAW_PROFILE=default`],
])("a unit with another %s starts a gateway that is not mine", async (_, unitLine) => {
  const { host, other } = twoHomes(unitLine);
  const found = (await discoverGateways(host.context, { roots: host.roots })).gateways;
  const byState = new Map(found.map((gateway) => [gateway.stateDir, gateway]));
  expect(byState.get(path.join(host.userHome, ".openclaw"))?.managers).toEqual([]);
  expect(byState.get(path.join(other, ".openclaw"))).toMatchObject({
    port: 31_200,
    managers: [{ kind: "unit" }],
    adopt: expect.stringContaining(`--state-dir ${path.join(other, ".openclaw")}`) as string,
  });

  await importGateways(host.context, "openclaw", { roots: host.roots });
  const mine = readRegistry(host.context.home).get("openclaw");
  expect(mine?.command).toBeUndefined();
  expect(mine?.cwd).toBe(host.userHome);
  const findings = await diagnose(host.context);
  expect(findings.filter(({ code }) => code === "service-duel")).toEqual([]);

  await importGateways(host.context, "openclaw", {
    name: "default",
    as: "a",
    stateDir: path.join(other, ".openclaw"),
    roots: host.roots,
  });
  const theirs = readRegistry(host.context.home).get("a");
  expect(theirs).toMatchObject({
    command: ["/srv/openclaw"],
    cwd: other,
    env: { HOME: other, OPENCLAW_HOME: other },
    paths: { workspace: path.join(other, ".openclaw/workspace") },
  });
});

test.each([
  ["env", (other: string): string => `/usr/bin/env -u X HOME=${other} /srv/openclaw gateway run`],
  ["a shell", (other: string): string => `/bin/sh -c 'export HOME="${other}"; exec /srv/openclaw gateway run'`],
  ["a login shell", (other: string): string => `/bin/bash -lc 'OPENCLAW_HOME=${other} openclaw gateway run'`],
])("a unit whose command line says the home, by %s, is not mine, and is never advised against", async (_, command) => {
  const { host, other } = twoHomes(
    (its) => `Environment=OPENCLAW_PROFILE=default\nExecStart=\nExecStart=${command(its)}`,
  );
  const found = (await discoverGateways(host.context, { roots: host.roots })).gateways;
  const byState = new Map(found.map((gateway) => [gateway.stateDir, gateway]));
  expect(byState.get(path.join(host.userHome, ".openclaw"))?.managers).toEqual([]);
  expect(byState.get(path.join(other, ".openclaw"))).toMatchObject({ port: 31_200, managers: [{ kind: "unit" }] });

  await importGateways(host.context, "openclaw", { roots: host.roots });
  expect(readRegistry(host.context.home).get("openclaw")?.command).toBeUndefined();
  expect((await diagnose(host.context)).filter(({ code }) => code === "service-duel")).toEqual([]);
});

test.each([
  "User=nobody\nExecStart=/srv/openclaw",
  "ExecStart=/usr/bin/sudo -u nobody /srv/openclaw",
  "ExecStart=runuser --user=nobody -- openclaw",
])("a system unit that runs as another user is not mine: %s", async (lines) => {
  const host = openClawHost();
  host.put({
    ".openclaw/openclaw.json": '{"gateway": {"mode": "local", "port": 31000}}',
    "etc/openclaw-gateway.service": `[Service]\n${lines} gateway --port 31500\n`,
  });
  const unitDirectories = [{ manager: "systemd" as const, path: path.join(host.userHome, "etc") }];
  const { gateways } = await discoverGateways(host.context, { roots: { ...host.roots, unitDirectories } });
  const mine = gateways.find(({ stateDir }) => stateDir === path.join(host.userHome, ".openclaw"));
  expect(mine).toMatchObject({ port: 31_000, managers: [] });
  expect(gateways.filter(({ name }) => name === "default")).toHaveLength(2);
});
