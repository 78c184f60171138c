/**
 * `run` in real containers: as the first process and behind an init, as another user, without any capability. What a
 * container sees of another, and what its host sees of it.
 */
import { spawnSync } from "node:child_process";
import { chownSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { containerScenes, give } from "../harness/container-scene.ts";
import type { Podman } from "../harness/podman.ts";
import { until } from "../harness/until.ts";
import { freePort } from "../harness/ports.ts";

const { fault, scene } = containerScenes("run in real containers");

const UID = 1000;
/** Source: RFC 5737, for documentation: no machine has it. */
const ADDRESS = "192.0.2.7";
const hard = [
  "--read-only",
  "--tmpfs=/tmp",
  "--cap-drop=ALL",
  "--security-opt=no-new-privileges",
  `--user=${UID}:${UID}`,
];

/** A gateway that prints, answers, and for each connection leaves a helper behind whose parent is gone. */
const LEAVES_HELPERS = `
const { spawn } = require("node:child_process");
require("node:net").createServer((socket) => {
  spawn("/bin/sh", ["-c", "/bin/sleep 0.05 & exit 0"], { stdio: "ignore" });
  socket.end();
}).listen(process.env.PORT, "127.0.0.1", () => console.log("the gateway says hello"));
`;

const args = (home: string, name: string, ...more: readonly string[]): readonly string[] => [
  "run",
  "--detach",
  "--name",
  name,
  "--network=host",
  "--volume",
  `${home}:${home}`,
  "--env",
  `LOCKKEEPER_HOME=${home}`,
  ...hard,
  ...more,
];

/** Runs `lockkeeper` in an existing container. */
const inside = (podman: Podman, container: string, ...command: readonly string[]): ReturnType<Podman["run"]> =>
  podman.run("exec", container, "lockkeeper", ...command);

async function untilRunning(podman: Podman, container: string, profile: string): Promise<void> {
  const { status, stderr } = await inside(podman, container, "wait", profile, "--timeout", "120s");
  const { stdout, stderr: said } = await podman.run("logs", container);
  expect(status, `${stderr}${stdout}${said}`).toBe(0);
}

const runningIn = async (podman: Podman, container: string): Promise<boolean> =>
  (await podman.must("inspect", "--format", "{{.State.Running}}", container)).trim() === "true";

const exitOf = async (podman: Podman, container: string): Promise<number> =>
  Number((await podman.must("wait", container)).trim());

const zombiesOf = async (podman: Podman, container: string): Promise<number> => {
  const script = "for f in /proc/[0-9]*/stat; do /bin/cat $f 2>/dev/null; done";
  const stats = await podman.must("exec", container, "/bin/sh", "-c", script);
  return stats.split("\n").filter((line) => /\) Z /.test(line)).length;
};

describe.skipIf(fault !== undefined)("run in a container", () => {
  test("passes output on, is stopped from within, and reaps behind an init: 20 helpers leave no zombie; without one doctor says so", () =>
    scene(async ({ home, run, json }, podman) => {
      expect(
        (await run(["create", "cmd", "--cwd", "/tmp", "--", "node", "-e", LEAVES_HELPERS.replaceAll(/[{}]/g, "$&$&")]))
          .status,
      ).toBe(0);
      const [{ port }] = (await json(["list"])) as [{ port: number }];
      give(home, UID);
      const ask = `require("node:net").connect(${port}, "127.0.0.1").on("close", () => process.exit()).resume()`;
      const left: number[] = [];
      for (const [name, entry] of [
        ["init", []],
        ["first", ["--entrypoint", '["lockkeeper"]']],
      ] as const) {
        await podman.must(...args(home, name, ...entry, podman.image, "run", "cmd"));
        await untilRunning(podman, name, "cmd");
        await until("its output is passed on", async () =>
          (await podman.must("logs", name)).includes("the gateway says hello"),
        );
        const twenty = `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do node -e '${ask}'; done`;
        await podman.must("exec", name, "/bin/sh", "-c", twenty);
        if (name === "init") await until("all are reaped", async () => (await zombiesOf(podman, name)) === 0);
        left.push(await zombiesOf(podman, name));
        const doctor = await inside(podman, name, "doctor");
        expect(doctor.stdout.includes("reap"), doctor.stdout).toBe(name === "first");
        const stop = await inside(podman, name, "stop", "cmd");
        // The end of the keeper is the end of its container, including this command.
        expect([0, 137], stop.stderr).toContain(stop.status);
        expect(await exitOf(podman, name)).toBe(0);
        await podman.must("rm", name);
      }
      expect(left[0]).toBe(0);
      expect(left[1]).toBeGreaterThan(10);
    }));

  test("excludes a second container and the host with 78, and no message advises a pid of another namespace", () =>
    scene(async ({ home, run }, podman) => {
      expect((await run(["create", "dev"])).status).toBe(0);
      give(home, UID);
      await podman.must(...args(home, "first", podman.image, "run", "dev"));
      await untilRunning(podman, "first", "dev");
      await podman.must(...args(home, "second", podman.image, "run", "dev"));
      expect(await exitOf(podman, "second")).toBe(78);
      const second = await podman.run("logs", "second");
      // In its own network nothing answers: that proves nothing.
      const other = [
        "run",
        "--rm",
        "--network=none",
        "--volume",
        `${home}:${home}`,
        "--env",
        `LOCKKEEPER_HOME=${home}`,
        ...hard,
        podman.image,
      ];
      const status = await podman.run(...other, "status", "dev", "--json");
      expect(JSON.parse(status.stdout || JSON.stringify(status.stderr))).toMatchObject({
        state: "running",
        pid: null,
        keeperPid: null,
        health: "unknown",
      });
      const start = await podman.run(...other, "start", "dev");
      expect(start.status, start.stderr).toBe(0);
      const host = await run(["stop", "dev"], { env: { LOCKKEEPER_HOME: home } });
      expect(host.status).not.toBe(0);
      // The host sees which of its processes holds the lock; the container that started it must stop it.
      give(home, 0);
      const rival = await run(["run", "dev"]);
      expect(rival.status, rival.stderr).toBe(78);
      expect(rival.stderr).toContain("in another container");
      give(home, UID);
      for (const text of [rival.stderr, second.stderr, start.stdout, start.stderr, host.stderr]) {
        expect(text).not.toMatch(/(?:stop|kill) pid \d|--replace|kill \d/);
      }
      // After a kill it is replaced at once.
      await podman.must("kill", "--signal=KILL", "first");
      await podman.must("rm", "--force", "second");
      await podman.must(...args(home, "third", podman.image, "run", "dev"));
      await untilRunning(podman, "third", "dev");
      await podman.must("stop", "--time=20", "third");
      expect(await exitOf(podman, "third")).toBe(0);
    }));

  test("--stay keeps the container through a person's stop and a permanent failure; the engine's stop ends what was started in it", () =>
    scene(async ({ home, run }, podman) => {
      expect((await run(["create", "dev"])).status).toBe(0);
      give(home, UID);
      await podman.must(...args(home, "stays", podman.image, "run", "dev", "--stay"));
      await untilRunning(podman, "stays", "dev");
      expect((await inside(podman, "stays", "stop", "dev")).status).toBe(0);
      const resting = await inside(podman, "stays", "status", "dev", "--quiet");
      expect(resting.status, resting.stderr).toBe(3);
      expect(await runningIn(podman, "stays")).toBe(true);
      await podman.must(...args(home, "owner", podman.image, "run", "dev"));
      await untilRunning(podman, "owner", "dev");
      await podman.must(...args(home, "refused", podman.image, "run", "dev", "--stay"));
      await until("the refusal is told", async () =>
        (await podman.run("logs", "refused")).stderr.includes("this process stays"),
      );
      expect(await runningIn(podman, "refused")).toBe(true);
      await podman.must("stop", "--time=20", "refused", "owner");
      expect(await exitOf(podman, "refused")).toBe(78);
      expect((await inside(podman, "stays", "start", "dev")).status).toBe(0);
      await podman.must("stop", "--time=20", "stays");
      expect(await exitOf(podman, "stays")).toBe(0);
      const record = JSON.parse(await readFile(path.join(home, "run/dev.json"), "utf8")) as { state: string };
      expect(record.state).toBe("stopped");
    }));

  test("runs in a private folder of a volume whose root its group may write, and doctor finds nothing loose there", () =>
    scene(async ({ home, folder }, podman) => {
      const volume = await groupsVolume(folder);
      // As the exported init container does.
      const mkdirHome = ["--entrypoint", "/bin/sh", podman.image, "-c", "mkdir -p -m 0700 /volume/home"];
      await podman.must(...onVolume(`${volume}:/volume`), "--rm", ...mkdirHome);
      const own = [...onVolume(`${volume}/home:${home}`), "--env", `LOCKKEEPER_HOME=${home}`];
      await podman.must(...own, "--rm", podman.image, "create", "inner", "--port", String(await freePort()));
      const doctor = await podman.run(...own, "--rm", podman.image, "doctor", "--json");
      expect(doctor.stdout).not.toContain("mode-loose");
      await podman.must(...own, "--detach", "--name", "inner", podman.image, "run", "inner");
      await untilRunning(podman, "inner", "inner");
    }));

  test("runs in a home that is the root of a volume of our group, and again after a kubelet has opened all of it to that group", () =>
    scene(async ({ folder }, podman) => {
      const volume = await groupsVolume(folder);
      const own = [...onVolume(`${volume}:/volume`), "--env", "LOCKKEEPER_HOME=/volume"];
      await writeFile(path.join(volume, "env"), "A=1\n", { mode: 0o600 });
      chownSync(path.join(volume, "env"), UID, UID);
      await podman.must(
        ...own,
        "--rm",
        podman.image,
        "create",
        "inner",
        "--port",
        String(await freePort()),
        "--env-file",
        "/volume/env",
      );
      for (const name of ["first", "second"]) {
        await podman.must(...own, "--detach", "--name", name, podman.image, "run", "inner");
        await untilRunning(podman, name, "inner");
        // The leftovers of a kill are opened too, including the lock file.
        await podman.must("kill", "--signal=KILL", name);
        await podman.must("wait", name);
        spawnSync("chgrp", ["-R", String(UID), volume]);
        spawnSync("chmod", ["-R", "g+rwX", volume]);
      }
      const findings = async (): Promise<readonly { code: string; title: string }[]> => {
        const { stdout, stderr } = await podman.run(...own, "--rm", podman.image, "doctor", "--json");
        return (JSON.parse(stdout || stderr) as { findings: { code: string; title: string }[] }).findings;
      };
      const loose = (await findings()).filter(({ code }) => code === "mode-loose" || code === "home-unsafe");
      // Everyone may list the volume's own root.
      expect(loose.map(({ title }) => title)).toEqual(["others may read /volume"]);
      // The control: opened to everyone it is refused, and reported.
      spawnSync("chmod", ["-R", "o+w", path.join(volume, "profiles")]);
      expect((await findings()).some(({ title }) => title.startsWith("others may write"))).toBe(true);
      const refused = await podman.run(...own, "--rm", podman.image, "run", "inner");
      expect(refused.status).toBe(77);
      expect(refused.stderr).toContain("can be written by others");
    }));

  test("a profile created for every address is reached at its container's own address, an openclaw by the config that was made for it", () =>
    scene(async ({ home, folder, run, json }, podman) => {
      for (const given of [
        ["web"],
        ["oc", "--kind", "openclaw"],
        ["near", "--kind", "openclaw", "--host", "127.0.0.1"],
      ]) {
        const wide = given.includes("--host") ? [] : ["--host", "0.0.0.0"];
        expect((await run(["create", ...given, ...wide])).status).toBe(0);
      }
      const list = (await json(["list"])) as readonly { name: string; port: number }[];
      const portOf = (name: string): number => list.find((each) => each.name === name)?.port ?? 0;
      await copyFile(
        new URL("../openclaw/fixtures/openclaw-stand-in.js", import.meta.url),
        path.join(folder, "oc.mjs"),
      );
      await writeFile(path.join(folder, "openclaw"), `#!/bin/sh\nexec node ${folder}/oc.mjs "$@"\n`, { mode: 0o755 });
      give(home, UID);
      const programs = [
        "--volume",
        `${folder}/oc.mjs:${folder}/oc.mjs:ro`,
        "--volume",
        `${folder}/openclaw:/usr/bin/openclaw:ro`,
      ];
      const answers: Record<string, string> = {};
      for (const name of ["web", "oc", "near"]) {
        const own = args(home, name, "--network=none", ...programs).filter((each) => each !== "--network=host");
        await podman.must(...own, podman.image, "run", name);
        await untilRunning(podman, name, name);
        // An address like a pod's: nothing of it is visible outside of this container.
        const pid = (await podman.must("inspect", "--format", "{{.State.Pid}}", name)).trim();
        const addressed = spawnSync("nsenter", [
          "--target",
          pid,
          "--net",
          "ip",
          "address",
          "add",
          `${ADDRESS}/32`,
          "dev",
          "lo",
        ]);
        expect(addressed.status, String(addressed.stderr)).toBe(0);
        const ask = async (host?: string): Promise<string> => {
          const options = JSON.stringify({ host: ADDRESS, port: portOf(name), path: "/healthz", headers: { host } });
          const script = `require("node:http").get(${options}, (r) => console.log(r.statusCode)).on("error", (e) => console.log(e.code))`;
          return (await podman.must("exec", name, "node", "-e", script)).trim();
        };
        answers[name] = await ask();
        if (name === "web") answers["web, as a probe asks that names a host"] = await ask(`127.0.0.1:${portOf("web")}`);
        await podman.must("rm", "--force", "--time=20", name);
      }
      expect(answers).toEqual({
        // The built-in gateway answers to names that it knows (`allowedHosts`); a probe must use one of them, or run a
        // command.
        web: "403",
        "web, as a probe asks that names a host": "200",
        oc: "200",
        near: "ECONNREFUSED",
      });
    }));
});

/** A folder as Kubernetes provides a volume to a pod with an `fsGroup`. */
async function groupsVolume(folder: string): Promise<string> {
  const volume = path.join(folder, "volume");
  await mkdir(volume);
  chownSync(volume, 0, UID);
  await chmod(volume, 0o2775);
  return volume;
}

const onVolume = (mount: string): readonly string[] => ["run", "--volume", mount, "--network=host", ...hard];
