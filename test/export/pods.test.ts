/** The StatefulSet that `export` prints, really run as the pod that a controller makes of it. */
import { chmod, chown, cp, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { describe, expect, test } from "vitest";
import { containerScenes, give } from "../harness/container-scene.ts";
import type { Podman } from "../harness/podman.ts";
import { createKept, fingerprint } from "./exported.ts";

const { fault, scene } = containerScenes("pods of exported templates");

const UID = 1000;

/** Source: containers/podman pull request 16803. An older podman silently mounts the volume's root instead. */
const HAS_SUB_PATH = [4, 4] as const;

async function knowsSubPath(podman: Podman): Promise<boolean> {
  const version = await podman.must("version", "--format", "{{.Client.Version}}");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const knows = major > HAS_SUB_PATH[0] || (major === HAS_SUB_PATH[0] && minor >= HAS_SUB_PATH[1]);
  if (!knows) {
    process.stdout.write(
      `skipped: subPath by the engine itself: podman ${version.trim()} does not know it, ${HAS_SUB_PATH.join(".")} does\n`,
    );
  }
  return knows;
}

describe.skipIf(fault !== undefined)("Kubernetes", () => {
  test("the StatefulSet's template runs as a pod, in a folder of a volume whose root its group may write, and then on the host again", () =>
    scene(async (scratch, podman) => {
      const { home, folder, run } = scratch;
      await createKept(scratch);
      const before = await fingerprint(home);
      const token = (await run(["token", "prod"])).stdout;
      give(home, UID);
      // Exported by the home's own user, who is not the user of this test.
      const asOwner = ["--rm", `--user=${UID}:${UID}`, "--network=none", "--volume", `${home}:${home}`];
      const own = ["run", ...asOwner, "--env", `LOCKKEEPER_HOME=${home}`, podman.image];
      const text = await podman.must(...own, "export", "prod", "--format", "kubernetes", "--image", podman.image);
      const [set] = parseAllDocuments(text).map((document) => document.toJS() as Template);
      if (set === undefined) throw new Error("no StatefulSet");
      const { spec: template } = set.spec.template;
      expect(template.securityContext).toMatchObject({ runAsUser: UID, runAsGroup: UID, fsGroup: UID });
      const [init] = template.initContainers;
      // The claim's volume, as a kubelet provides it.
      await podman.must("volume", "create", "claimed");
      const volume = (await podman.must("volume", "inspect", "--format", "{{.Mountpoint}}", "claimed")).trim();
      await chown(volume, 0, UID);
      await chmod(volume, 0o2775);
      // The init container makes private folders there, and ends when a person says that the copy is complete.
      const mounted = ["--volume", `${volume}:${init.volumeMounts[0].mountPath}`, `--user=${UID}:${UID}`];
      const prepare = [...init.command].map((word) => word.replace(/until .*/, "true"));
      await podman.must(
        "run",
        "--rm",
        "--network=none",
        ...mounted,
        "--entrypoint",
        JSON.stringify(prepare),
        podman.image,
      );
      const inner = path.join(volume, "home");
      expect((await stat(inner)).mode & 0o777).toBe(0o700);
      await cp(home, inner, { recursive: true });
      give(inner, UID);
      await writeFile(path.join(volume, "copied"), "");
      // What controller and kubelet do: the template becomes a pod, the claim a volume.
      const subPath = await knowsSubPath(podman);
      const spec = {
        ...template,
        hostNetwork: true,
        restartPolicy: "Never",
        volumes: [
          ...template.volumes,
          { name: "data", persistentVolumeClaim: { claimName: "claimed" } },
          ...(subPath ? [] : [{ name: "data-home", hostPath: { path: inner, type: "Directory" } }]),
        ],
        ...(subPath
          ? {}
          : {
              containers: template.containers.map((each) => ({
                ...each,
                volumeMounts: each.volumeMounts.map(asVolume),
              })),
            }),
      };
      // Podman applies the pod's `restartPolicy` to init containers too. With the default, an init container that has
      // ended is started again and again. `kube play`, which asks four times a second whether it has ended, may never
      // see it, and does not remove such a container.
      const annotations = { "io.podman.annotations.init.container.type": "always" };
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "lk-prod-0", annotations }, spec };
      const file = path.join(folder, "pod.yaml");
      await writeFile(file, stringify(pod));
      await podman.must("kube", "play", file);
      const gateway = "lk-prod-0-gateway";
      const waited = await podman.run("exec", gateway, "lockkeeper", "wait", "prod", "--timeout", "120s");
      expect(waited.status, waited.stderr + (await podman.run("logs", gateway)).stderr).toBe(0);
      const probe = template.containers[0]?.readinessProbe.exec.command ?? [];
      expect((await podman.run("exec", gateway, ...probe)).status).toBe(0);
      const doctor = await podman.run("exec", gateway, "lockkeeper", "doctor", "--json");
      expect(doctor.stdout).not.toMatch(/mode-loose|home-unsafe/);
      await podman.must("stop", "--time=20", gateway);
      expect((await podman.must("inspect", "--format", "{{.State.ExitCode}}", gateway)).trim()).toBe("0");
      expect(await fingerprint(inner)).toBe(before);
      // And back: the host has the volume's content again.
      await rm(home, { recursive: true });
      await cp(inner, home, { recursive: true });
      give(home, 0);
      expect((await run(["start", "prod"])).status).toBe(0);
      expect((await run(["stop", "prod"])).status).toBe(0);
      expect((await run(["token", "prod"])).stdout).toBe(token);
      expect(await fingerprint(home)).toBe(before);
    }));
});

/** Turns a mount of a folder in a volume into a mount of a volume of its own. */
function asVolume({ name, subPath, ...rest }: VolumeMount): VolumeMount {
  return subPath === undefined ? { name, ...rest } : { name: `${name}-${subPath}`, ...rest };
}

interface VolumeMount {
  readonly name: string;
  readonly subPath?: string;
}

interface Template {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly securityContext: object;
        readonly volumes: readonly unknown[];
        readonly initContainers: readonly [
          {
            readonly command: readonly string[];
            readonly volumeMounts: readonly [{ readonly mountPath: string }];
          },
        ];
        readonly containers: readonly {
          readonly volumeMounts: readonly VolumeMount[];
          readonly readinessProbe: { readonly exec: { readonly command: readonly string[] } };
        }[];
      };
    };
  };
}
