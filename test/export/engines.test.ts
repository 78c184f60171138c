/**
 * What `export` prints, given to the engines themselves: read by their own readers, each with a spoiled twin that it must refuse, and
 * really run. On the way host, container, host not one byte of config and state changes.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { describe, expect, test } from "vitest";
import { podmanFault, withPodman } from "../harness/podman.ts";
import type { Podman } from "../harness/podman.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

/** Returns the first of these programs that is there; else says that its tests are skipped. */
function program(what: string, named: string | undefined, ...places: readonly string[]): string | undefined {
  const found = [...(named === undefined ? [] : [named]), ...places].find((file) => existsSync(file));
  if (found === undefined) process.stdout.write(`skipped: ${what} is not installed\n`);
  return found;
}

const COMPOSE = program(
  "Compose v2 (LOCKKEEPER_TEST_COMPOSE names it)",
  process.env["LOCKKEEPER_TEST_COMPOSE"],
  "/usr/libexec/docker/cli-plugins/docker-compose",
  "/usr/lib/docker/cli-plugins/docker-compose",
);
const QUADLET = program(
  "podman's quadlet (LOCKKEEPER_TEST_QUADLET names it)",
  process.env["LOCKKEEPER_TEST_QUADLET"],
  "/usr/libexec/podman/quadlet",
  "/usr/lib/podman/quadlet",
);
const ANALYZE = program("systemd-analyze", undefined, "/usr/bin/systemd-analyze");
const fault = podmanFault();
if (fault !== undefined) process.stdout.write(`skipped: exports in real containers: ${fault}\n`);

/** A mount of a folder in a volume, as a mount of a volume of its own. */
const asVolume = ({ name, subPath, ...rest }: VolumeMount): VolumeMount =>
  subPath === undefined ? { name, ...rest } : { name: `${name}-${subPath}`, ...rest };

const exported = async ({ run }: ScratchHome, ...args: readonly string[]): Promise<string> => {
  const { status, stdout, stderr } = await run(["export", ...args]);
  expect(status, stderr).toBe(0);
  return stdout;
};

const scene = (use: (scratch: ScratchHome, podman: Podman) => Promise<void>): Promise<void> =>
  withPodman((podman) =>
    withScratchHome((scratch) => use(scratch, podman).finally(() => podman.run("rm", "--all", "--force", "--time=0"))),
  );

/** Everything of a profile that a move must not change, by name and content. */
async function fingerprint(profile: string): Promise<string> {
  const sum = createHash("sha256");
  for (const part of ["token", "config", "state", "workspace"]) {
    const place = path.join(profile, part);
    if (!existsSync(place)) continue;
    const files = part === "token" ? [""] : await readdir(place, { recursive: true });
    for (const file of files.toSorted()) {
      sum.update(`${part}/${file}\0`);
      sum.update(await readFile(path.join(place, file)).catch(() => "a folder"));
    }
  }
  return sum.digest("hex");
}

/** A profile with a config and a state of its own. */
async function createKept({ home, run }: ScratchHome): Promise<string> {
  expect((await run(["create", "prod"])).status).toBe(0);
  expect((await run(["config", "set", "allowedHosts", "box.lan", "--profile", "prod"])).status).toBe(0);
  const profile = path.join(home, "profiles/prod");
  await mkdir(path.join(profile, "state"), { recursive: true, mode: 0o700 });
  await writeFile(path.join(profile, "state/kept"), "state of the gateway", { mode: 0o600 });
  return profile;
}

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

describe.skipIf(fault !== undefined)("Kubernetes", () => {
  test(
    "the template of the StatefulSet runs as a pod, on a volume whose root its group may write",
    () =>
      scene(async (scratch, podman) => {
        const { home, folder, run } = scratch;
        const profile = await createKept(scratch);
        const before = await fingerprint(profile);
        const text = await exported(scratch, "prod", "--format", "kubernetes", "--image", podman.image);
        const [set] = parseAllDocuments(text).map((document) => document.toJS() as Template);
        if (set === undefined) throw new Error("no StatefulSet");
        const volume = path.join(folder, "volume");
        await mkdir(volume);
        spawnSync("chmod", ["2775", volume]);
        // What controller and kubelet do: the template becomes a pod, the claim a folder, a subPath a folder in that.
        const { spec: template } = set.spec.template;
        const spec = {
          ...template,
          hostNetwork: true,
          containers: template.containers.map((each) => ({ ...each, volumeMounts: each.volumeMounts.map(asVolume) })),
          volumes: [
            ...template.volumes,
            { name: "data", hostPath: { path: volume, type: "Directory" } },
            { name: "data-home", hostPath: { path: path.join(volume, "home"), type: "Directory" } },
          ],
        };
        // Podman removes an init container of type `once` as it ends, and fails now and then because it still counts as running.
        const annotations = { "io.podman.annotations.init.container.type": "always" };
        const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "lk-prod-0", annotations }, spec };
        const file = path.join(folder, "pod.yaml");
        await writeFile(file, stringify(pod));
        // What a person copies into it, with the mark that all is there: `kube play` itself returns after the init container.
        await cp(home, path.join(volume, "home"), { recursive: true });
        await writeFile(path.join(volume, "copied"), "");
        await podman.must("kube", "play", file);
        const gateway = "lk-prod-0-gateway";
        const waited = await podman.run("exec", gateway, "lockkeeper", "wait", "prod", "--timeout", "30s");
        expect(waited.status, waited.stderr + (await podman.run("logs", gateway)).stderr).toBe(0);
        const probe = template.containers[0]?.readinessProbe.exec.command ?? [];
        expect((await podman.run("exec", gateway, ...probe)).status).toBe(0);
        await podman.must("stop", "--time=20", gateway);
        expect((await podman.must("inspect", "--format", "{{.State.ExitCode}}", gateway)).trim()).toBe("0");
        expect(await fingerprint(path.join(volume, "home/profiles/prod"))).toBe(before);
        await podman.run("pod", "rm", "--all", "--force");
        expect((await run(["start", "prod"])).status).toBe(0);
      }),
    120_000,
  );
});

interface VolumeMount {
  readonly name: string;
  readonly subPath?: string;
}

interface Template {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes: readonly unknown[];
        readonly containers: readonly {
          readonly volumeMounts: readonly VolumeMount[];
          readonly readinessProbe: { readonly exec: { readonly command: readonly string[] } };
        }[];
      };
    };
  };
}

describe.skipIf(QUADLET === undefined)("quadlet", () => {
  test("podman's generator makes a service of it that systemd takes; a typo is refused", () =>
    withScratchHome(async (scratch) => {
      const { run, folder } = scratch;
      const cwd = path.join(folder, "a b $HOME %h");
      await mkdir(cwd);
      expect((await run(["create", "cmd", "--cwd", cwd, "--env", "PASSED", "--", "node"])).status).toBe(0);
      const text = await exported(scratch, "cmd", "--format", "quadlet");
      const units = path.join(folder, "units");
      await mkdir(units);
      const generate = async (given: string): Promise<ReturnType<typeof spawnSync>> => {
        await writeFile(path.join(units, "lockkeeper-cmd.container"), given);
        return spawnSync(QUADLET ?? "", ["-dryrun", "-user"], {
          env: { QUADLET_UNIT_DIRS: units, HOME: folder },
          encoding: "utf8",
        });
      };
      const made = await generate(text);
      expect(made.status, String(made.stderr)).toBe(0);
      const service = String(made.stdout).replace(/^---.*---\n/, "");
      expect(service).toContain("RestartPreventExitStatus=78");
      // Both signs reach systemd doubled, which is how it keeps them.
      expect(service).toContain("a b $$HOME %%h");
      if (ANALYZE !== undefined) {
        const unit = path.join(folder, "lockkeeper-cmd.service");
        const verify = async (given: string): Promise<number | null> => {
          await writeFile(unit, given.replaceAll("/usr/bin/podman", "/bin/true"));
          return spawnSync(ANALYZE, ["--user", "verify", unit], {
            encoding: "utf8",
            env: { ...process.env, XDG_RUNTIME_DIR: folder },
          }).status;
        };
        expect(await verify(service)).toBe(0);
        expect(await verify(service.replace("ExecStart=", "ExecStarts="))).not.toBe(0);
      }
      expect((await generate(text.replace("Exec=run", "Exek=run"))).status).not.toBe(0);
    }));
});
