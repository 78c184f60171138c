/**
 * The Compose file that `export` prints, given to Compose: read by its own reader, which must refuse a spoiled twin, and really run.
 * On the way host, container, host not one byte of config and state changes.
 */
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { containerScenes } from "../harness/container-scene.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import { createKept, exported, fingerprint, program } from "./exported.ts";

const COMPOSE = program(
  "Compose v2 (LOCKKEEPER_TEST_COMPOSE names it)",
  process.env["LOCKKEEPER_TEST_COMPOSE"],
  "/usr/libexec/docker/cli-plugins/docker-compose",
  "/usr/lib/docker/cli-plugins/docker-compose",
);
const { fault, scene } = containerScenes("Compose files in real containers");

describe("Compose", () => {
  test.skipIf(COMPOSE === undefined)("v2 takes hostile paths as they are, and refuses the spoiled twin", () =>
    withScratchHome(async (scratch) => {
      const { run, folder } = scratch;
      const cwd = path.join(folder, "a b $HOME ${X} #y");
      await mkdir(cwd);
      expect((await run(["create", "cmd", "--cwd", cwd, "--env", "PASSED", "--", "node"])).status).toBe(0);
      expect((await run(["create", "wide", "--host", "0.0.0.0"])).status).toBe(0);
      expect((await run(["create", "oc", "--kind", "openclaw", "--memory-max", "2G"])).status).toBe(0);
      const text = await exported(scratch, "cmd", "wide", "oc", "--format", "compose");
      const config = (name: string, given: string, env: NodeJS.ProcessEnv = {}): ReturnType<typeof spawnSync> => {
        spawnSync("tee", [path.join(folder, name)], { input: given });
        return spawnSync(COMPOSE ?? "", ["-f", path.join(folder, name), "config", "--format", "json"], {
          env: { PATH: process.env["PATH"], HOME: folder, LOCKKEEPER_IMAGE: "image", PASSED: "by the caller", ...env },
          encoding: "utf8",
        });
      };
      const { status, stdout, stderr } = config("compose.yaml", text);
      expect(status, String(stderr)).toBe(0);
      const { services } = JSON.parse(String(stdout)) as {
        services: Record<string, { volumes: { target: string }[]; environment: Record<string, string> }>;
      };
      // It doubles the sign again on its way out.
      const targets = services["cmd"]?.volumes.map(({ target }) => target.replaceAll("$$", "$"));
      expect(targets).toContain(cwd);
      expect(services["cmd"]?.environment["PASSED"]).toBe("by the caller");
      expect(config("spoiled.yaml", text.replace("restart:", "restarts:")).status).not.toBe(0);
      // Without an image it says how to get one.
      const without = config("compose.yaml", text, { LOCKKEEPER_IMAGE: "" });
      expect(without.status).not.toBe(0);
      expect(String(without.stderr)).toContain("--containerfile");
    }),
  );

  test.skipIf(fault !== undefined || COMPOSE === undefined)(
    "runs what was exported: up, healthy, a kill survived, down in time; and the way back changes no byte",
    () =>
      scene(async (scratch, podman) => {
        const { folder, run, json } = scratch;
        const profile = await createKept(scratch);
        const before = await fingerprint(profile);
        const token = (await run(["token", "prod"])).stdout;
        expect((await run(["start", "prod"])).status).toBe(0);
        expect((await run(["stop", "prod"])).status).toBe(0);
        const file = path.join(folder, "compose.yaml");
        await writeFile(file, await exported(scratch, "prod", "--format", "compose", "--image", podman.image));
        const socket = await podman.socket();
        const compose = (...args: readonly string[]): void => {
          const env = { ...podman.env, DOCKER_HOST: socket };
          const ran = spawnSync(COMPOSE ?? "", ["-f", file, ...args], { env, encoding: "utf8", timeout: 60_000 });
          expect(ran.status, `${ran.stdout}${ran.stderr}`).toBe(0);
        };
        compose("up", "--detach");
        const container = (await podman.must("ps", "--all", "--quiet")).trim().split("\n")[0] ?? "";
        const waited = await podman.run("exec", container, "lockkeeper", "wait", "prod", "--timeout", "30s");
        expect(waited.status, waited.stderr + (await podman.run("logs", container)).stderr).toBe(0);
        expect((await podman.run("exec", container, "lockkeeper", "status", "prod", "--quiet")).status).toBe(0);
        // The host sees it, reaches it at the same address, and does not run it a second time.
        const [seen] = (await json(["list"])) as [{ state: string; health: string; keeperPid: null }];
        expect(seen).toMatchObject({ state: "running", health: "ok", keeperPid: null });
        expect((await run(["run", "prod"])).status).toBe(78);
        // Its gateway is killed: the keeper starts another.
        const inside = JSON.parse(await podman.must("exec", container, "lockkeeper", "status", "prod", "--json")) as {
          pid: number;
        };
        await podman.must("exec", container, "sh", "-c", `kill -9 ${inside.pid}`);
        await until("another gateway serves", async () => {
          const asked = await podman.run("exec", container, "lockkeeper", "status", "prod", "--json");
          const now = JSON.parse(asked.stdout) as { state: string; pid: number | null };
          return now.state === "running" && now.pid !== inside.pid;
        });
        // A person's stop holds, though the engine starts again whatever ends.
        await podman.must("exec", container, "lockkeeper", "stop", "prod");
        expect((await podman.run("exec", container, "lockkeeper", "status", "prod", "--quiet")).status).toBe(3);
        await podman.must("exec", container, "lockkeeper", "start", "prod");
        compose("stop");
        expect((await podman.must("inspect", "--format", "{{.State.ExitCode}}", container)).trim()).toBe("0");
        compose("down");
        expect((await run(["start", "prod"])).status).toBe(0);
        expect((await run(["stop", "prod"])).status).toBe(0);
        expect((await run(["token", "prod"])).stdout).toBe(token);
        expect(await fingerprint(profile)).toBe(before);
      }),
    120_000,
  );
});
