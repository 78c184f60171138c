/** Real processes change their manager: the old one stops, ours starts, and if ours fails the old one is back. */
import type { Profiles, TakeoverPlan } from "@lockkeeper/profiles";
import { openProfiles } from "@lockkeeper/profiles";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { bareEnvironment } from "../harness/cli.ts";
import { freePort } from "../harness/free-port.ts";
import { livingProcesses } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import { isAlive, ownersOf, sample } from "../supervision/scratch-profiles.ts";
import {
  configure,
  installOpenClaw,
  recordAsOpenClaw,
  startByHand,
  untilHealthy,
  writeProgram,
} from "./openclaw-user.ts";

async function ownerOf(port: number): Promise<number> {
  const [owner] = ownersOf(port);
  if (owner === undefined) throw new Error(`nobody listens on ${port}`);
  return owner;
}

/** Runs `use` for a user whose own `openclaw` works; `ours` is the one that our keeper finds. */
async function withAdopted(
  ours: "works" | "broken",
  use: (given: { profiles: Profiles; folder: string; port: number; old: number; stateDir: string }) => Promise<void>,
  prepare: (folder: string) => void = () => undefined,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "lockkeeper-user-"));
  const home = path.join(folder, ".lockkeeper");
  const searchPath = `${path.join(folder, "bin")}:${installOpenClaw(folder, ours)}`;
  const profiles = await openProfiles({ home, env: { ...bareEnvironment(home), PATH: searchPath } });
  const port = await freePort();
  prepare(folder);
  const stateDir = configure(folder, port);
  const old = await startByHand(folder, installOpenClaw(folder, "works"), port);
  try {
    recordAsOpenClaw(stateDir, old, port);
    await profiles.importOpenClaw();
    await use({ profiles, folder, port, old, stateDir });
    expect(await livingProcesses(home)).toEqual([]);
  } finally {
    // Orderly, so that its helper process ends with it.
    for (const owner of ownersOf(port)) process.kill(owner, "SIGTERM");
    await until("nobody listens any more", () => ownersOf(port).size === 0);
    for (const pid of await livingProcesses(home)) process.kill(pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

test("stop and restart leave a gateway alone that somebody else runs", async () => {
  await withAdopted("works", async ({ profiles, old }) => {
    expect(await profiles.status("openclaw")).toMatchObject({ state: "external", pid: old, health: "ok" });
    await expect(profiles.stop("openclaw")).rejects.toMatchObject({
      code: "RECORD_UNVERIFIED",
      hint: "Bring it under a keeper first: lockkeeper takeover openclaw",
    });
    await expect(profiles.restart("openclaw")).rejects.toMatchObject({ code: "RECORD_UNVERIFIED" });
    expect(await profiles.start("openclaw")).toMatchObject({ outcome: "already-running", status: { pid: old } });
    await expect(profiles.clone("openclaw", "copy")).rejects.toMatchObject({ code: "PROFILE_RUNNING" });
    expect(isAlive(old)).toBe(true);
  });
});

test("without consent nothing is touched; with it a keeper of ours has the gateway, and never are there two", async () => {
  await withAdopted("works", async ({ profiles, port, old }) => {
    const plans: TakeoverPlan[] = [];
    const declined = await profiles.takeOver("openclaw", { consent: (plan) => plans.push(plan) === 0 });
    expect(declined).toMatchObject({ outcome: "declined", status: { state: "external", pid: old } });
    expect(plans[0]).toMatchObject({ profile: "openclaw", port, old: { kind: "process", pid: old, enabled: "no" } });
    expect(plans[0]?.steps[0]).toContain(`SIGTERM to pid ${old}`);
    expect(isAlive(old)).toBe(true);

    const stopSampling = sample(() => ownersOf(port).size);
    const { outcome, status } = await profiles.takeOver("openclaw", { consent: () => true });
    expect((await stopSampling()).most).toBe(1);
    expect(outcome).toBe("taken-over");
    expect(status).toMatchObject({ state: "running", port });
    expect(status.keeperPid).not.toBeNull();
    expect(status.pid).not.toBe(old);
    expect(isAlive(old)).toBe(false);
    expect(await profiles.takeOver("openclaw", { consent: () => false })).toMatchObject({ outcome: "already-ours" });
    expect(await profiles.stop("openclaw")).toMatchObject({ outcome: "stopped" });
    await expect(profiles.takeOver("openclaw", { consent: () => true })).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
  });
});

test("ours does not become healthy: the old gateway runs again", async () => {
  await withAdopted("broken", async ({ profiles, port, old }) => {
    const error: unknown = await profiles
      .takeOver("openclaw", { consent: () => true })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "GATEWAY_EXITED",
      evidence: expect.arrayContaining(["went back: the old gateway runs again and is healthy"]) as string[],
    });
    await untilHealthy(port);
    expect(isAlive(old)).toBe(false);
    expect(await profiles.status("openclaw")).toMatchObject({
      state: "external",
      pid: await ownerOf(port),
      keeperPid: null,
    });
  });
});

test("a process that nothing verifies is never signalled", async () => {
  await withAdopted("works", async ({ profiles, port, old, stateDir }) => {
    recordAsOpenClaw(stateDir, process.pid, port);
    // The record names another living process: this listener is no gateway of the profile.
    await expect(profiles.takeOver("openclaw", { consent: () => true })).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
    writeProgram(path.join(stateDir, "tmp/openclaw-0/gateway.state.lock"), "no record");
    // Its title says what it is, but not whose.
    await expect(profiles.takeOver("openclaw", { consent: () => true })).rejects.toMatchObject({
      code: "RECORD_UNVERIFIED",
    });
    expect(isAlive(old)).toBe(true);
  });
});

test("a unit is stopped by its own manager and kept from coming back, once ours is healthy", async () => {
  const unit = "openclaw-gateway.service";
  await withAdopted(
    "works",
    async ({ profiles, folder, port, old }) => {
      // Stands in for systemd: it says that the process is the unit's, and stops it on request.
      writeProgram(
        path.join(folder, "bin/systemctl"),
        `echo "$*" >> "${folder}/asked"
case "$*" in
  "--user show --property=MainPID --value ${unit}") echo ${old} ;;
  "--user is-enabled ${unit}") echo enabled ;;
  "--user stop --no-block ${unit}") kill ${old} ;;
esac`,
      );
      const plans: TakeoverPlan[] = [];
      const { outcome } = await profiles.takeOver("openclaw", { consent: (plan) => plans.push(plan) > 0 });
      expect(outcome).toBe("taken-over");
      expect(plans[0]).toMatchObject({
        old: { kind: "unit", name: unit, pid: old, enabled: "yes" },
        leftBehind: ["TELEGRAM_BOT_TOKEN"],
      });
      await until("the old gateway is gone", () => !isAlive(old));
      expect(await profiles.status("openclaw")).toMatchObject({ state: "running", pid: await ownerOf(port) });
      expect(readFileSync(path.join(folder, "asked"), "utf8").trim().split("\n")).toEqual([
        `--user show --property=MainPID --value ${unit}`,
        `--user is-enabled ${unit}`,
        `--user stop --no-block ${unit}`,
        `--user disable ${unit}`,
      ]);
      await profiles.stop("openclaw");
    },
    (folder) => {
      const text = `[Service]
ExecStart=${path.join(folder, "bin-works/openclaw")} gateway run
Environment=TELEGRAM_BOT_TOKEN=1:abc HOME=${folder}
`;
      writeUnit(folder, unit, text);
    },
  );
});

function writeUnit(folder: string, unit: string, text: string): void {
  const file = path.join(folder, ".config/systemd/user", unit);
  writeProgram(file, text);
}
