/**
 * The Compose file that `export` prints, given to Compose: its own parser must accept it and refuse a broken variant,
 * and it really runs. On the way from host to container and back, no byte of config and state changes.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
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
  test.skipIf(COMPOSE === undefined)("v2 accepts hostile paths unchanged, and refuses the broken variant", () =>
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
      // Compose doubles the sign again in its output.
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
    "runs the export: up, healthy, a kill survived, down in time; the way back changes no byte",
    () =>
      scene(async (scratch, podman) => {
        const { home, folder, run, json } = scratch;
        await createKept(scratch);
        const before = await fingerprint(home);
        const token = (await run(["token", "prod"])).stdout;
        expect((await run(["start", "prod"])).status).toBe(0);
        expect((await run(["stop", "prod"])).status).toBe(0);
        const file = path.join(folder, "compose.yaml");
        await writeFile(file, await exported(scratch, "prod", "--format", "compose", "--image", podman.image));
        const socket = await podman.socket();
        const compose = (...args: readonly string[]): void => {
          const env = { ...podman.env, DOCKER_HOST: socket };
          const ran = spawnSync(COMPOSE ?? "", ["-f", file, ...args], { env, encoding: "utf8", timeout: 240_000 });
          expect(ran.status, `${ran.stdout}${ran.stderr}`).toBe(0);
        };
        compose("up", "--detach");
        const container = (await podman.must("ps", "--all", "--quiet")).trim().split("\n")[0] ?? "";
        const waited = await podman.run("exec", container, "lockkeeper", "wait", "prod", "--timeout", "120s");
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
        // A person's stop holds, although the engine restarts a container that ends.
        await podman.must("exec", container, "lockkeeper", "stop", "prod");
        expect((await podman.run("exec", container, "lockkeeper", "status", "prod", "--quiet")).status).toBe(3);
        await podman.must("exec", container, "lockkeeper", "start", "prod");
        compose("stop");
        expect((await podman.must("inspect", "--format", "{{.State.ExitCode}}", container)).trim()).toBe("0");
        compose("down");
        expect((await run(["start", "prod"])).status).toBe(0);
        // While the host runs it, the container stays, unhealthy, and there is no restart loop.
        compose("up", "--detach");
        const idle = (await podman.must("ps", "--all", "--quiet")).trim();
        await until("it stays", async () => (await podman.run("logs", idle)).stderr.includes("stays until"));
        expect((await podman.run("healthcheck", "run", idle)).status).not.toBe(0);
        expect((await podman.must("inspect", "--format", "{{.RestartCount}} {{.State.Running}}", idle)).trim()).toBe(
          "0 true",
        );
        compose("down");
        expect(((await json(["list"])) as [{ state: string }])[0].state).toBe("running");
        expect((await run(["stop", "prod"])).status).toBe(0);
        expect((await run(["token", "prod"])).stdout).toBe(token);
        expect(await fingerprint(home)).toBe(before);
      }),
  );

  test.skipIf(fault !== undefined || COMPOSE === undefined)(
    "runs several in the order of their dependencies, in folders outside of the home; a killed keeper is restarted and keeps its state",
    () =>
      scene(async (scratch, podman) => {
        const { folder, run } = scratch;
        const cwd = path.join(folder, `a b $HOME \${X} #é' =`);
        await mkdir(cwd);
        await writeFile(path.join(cwd, "server.mjs"), TELLS_WHERE_IT_IS);
        const value = `x$y \${Z} 'q' "d" #%é`;
        expect((await run(["create", "base"])).status).toBe(0);
        const create = ["create", "cmd", "--after", "base", "--cwd", cwd, "--env", `GIVEN=${value}`, "--env", "PASSED"];
        expect((await run([...create, "--", "node", "server.mjs"])).status).toBe(0);
        const file = path.join(folder, "compose.yaml");
        await writeFile(file, await exported(scratch, "base", "cmd", "--format", "compose", "--image", podman.image));
        const env = { ...podman.env, DOCKER_HOST: await podman.socket(), PASSED: value };
        const compose = async (...args: readonly string[]): Promise<void> => {
          const child = spawn(COMPOSE ?? "", ["-f", file, ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
          const late = setTimeout(() => child.kill("SIGKILL"), 240_000);
          let said = "";
          child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
          const [status] = (await once(child, "exit")) as [number | null];
          clearTimeout(late);
          expect(status, said).toBe(0);
        };
        // Podman leaves health checks to the timers of a systemd; without one the test has to run them. The second
        // service waits for it.
        const up = compose("up", "--detach");
        let isUp = false;
        const watch = up.finally(() => (isUp = true)).catch(() => undefined);
        await until("the services are up", async () => {
          await podman.run("healthcheck", "run", "lockkeeper-base-1");
          return isUp;
        });
        await Promise.all([up, watch]);
        const cmd = "lockkeeper-cmd-1";
        await podman.must("exec", cmd, "lockkeeper", "wait", "cmd", "--timeout", "120s");
        // The keeper passes the output on, after its gateway has printed it.
        const tellings = async (): Promise<readonly string[]> =>
          (await podman.must("logs", cmd)).split("\n").filter((line) => /^\{.*\}$/.test(line));
        await until("its output is passed on", async () => (await tellings()).length > 0);
        const [told = ""] = await tellings();
        expect(JSON.parse(told)).toEqual({ cwd, given: value, passed: value });
        const counted = async (): Promise<number> => Number(await readFile(path.join(cwd, "starts"), "utf8"));
        expect(await counted()).toBe(1);
        // The kill of the keeper ends its container: the engine starts it again.
        const facts = async (): Promise<{ pid: number; keeperPid: number }> =>
          JSON.parse(await podman.must("exec", cmd, "lockkeeper", "status", "cmd", "--json")) as never;
        const startedAt = async (): Promise<string> =>
          await podman.must("inspect", "--format", "{{.State.StartedAt}}", cmd);
        const first = await startedAt();
        const { keeperPid } = await facts();
        await podman.run("exec", cmd, "sh", "-c", `kill -9 ${keeperPid}`);
        await until(
          "the engine has started it again",
          async () => (await startedAt()) !== first && (await counted()) === 2,
        );
        const again = await podman.run("exec", cmd, "lockkeeper", "wait", "cmd", "--timeout", "120s");
        expect(again.status, again.stderr).toBe(0);
        await compose("down");
        expect((await podman.must("ps", "--all", "--quiet")).trim()).toBe("");
      }),
  );
});

/** Prints once in a line what it was given, and counts its starts in its working folder. */
const TELLS_WHERE_IT_IS = `
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
writeFileSync("starts", String(existsSync("starts") ? Number(readFileSync("starts", "utf8")) + 1 : 1));
console.log(JSON.stringify({ cwd: process.cwd(), given: process.env.GIVEN, passed: process.env.PASSED }));
createServer().listen(Number(process.env.PORT), "127.0.0.1");
`;
