/**
 * The guard of container tests: it ends and removes the leftovers of a killed test, and does not touch what another test
 * uses.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { until } from "./until.ts";

const GUARD = fileURLToPath(new URL("podman-guard.cjs", import.meta.url));
const reason =
  process.platform !== "linux"
    ? "it is for Linux"
    : spawnSync("flock", ["--version"]).error === undefined
      ? undefined
      : "flock is not installed";
if (reason !== undefined) process.stdout.write(`skipped: the guard of container tests: ${reason}\n`);

test.skipIf(reason !== undefined)(
  "a killed test leaves no process and no folder; a living one keeps its own",
  async () => {
    const parent = mkdtempSync(path.join(tmpdir(), "lk-guard-"));
    onTestFinished(() => rmSync(parent, { recursive: true, force: true, maxRetries: 5 }));
    const folder = (name: string): string => {
      const made = path.join(parent, `lk-podman-${name}`);
      mkdirSync(made);
      return made;
    };
    const [own, abandoned, used, young] = [folder("own"), folder("abandoned"), folder("used"), folder("young")];
    for (const each of [abandoned, used]) writeFileSync(path.join(each, "held"), "");
    const user = spawn("flock", [path.join(used, "owner"), "sh", "-c", "echo locked; exec sleep 600"], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    onTestFinished(() => void process.kill(-(user.pid ?? 0), "SIGKILL"));
    await once(user.stdout, "data");
    // Like a monitor of a container: independent, and its command line names the folder.
    const monitor = spawn(process.execPath, ["-e", "setTimeout(() => undefined, 600_000)", `${own}/userdata`], {
      stdio: "ignore",
      detached: true,
    });
    const monitorOver = once(monitor, "exit");

    // The test: it starts the guard, and is killed.
    const script = `
    const { spawn } = require("node:child_process");
    const args = [${JSON.stringify(path.join(own, "owner"))}, process.execPath, ${JSON.stringify(GUARD)}, ${JSON.stringify(own)}];
    spawn("flock", args, { detached: true, stdio: ["pipe", "inherit", "inherit"] });
    setInterval(() => undefined, 1000);`;
    const killed = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(killed.stdout, "data");
    expect([own, abandoned, used, young].map((each) => existsSync(each))).toEqual([true, false, true, true]);
    killed.kill("SIGKILL");
    await monitorOver;
    await until("its folder is gone", () => !existsSync(own));
    expect([used, young].map((each) => existsSync(each))).toEqual([true, true]);
  },
);
