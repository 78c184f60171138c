/** The StatefulSet that `export` prints, really run as the pod that a controller makes of it. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { describe, expect, test } from "vitest";
import { containerScenes } from "../harness/container-scene.ts";
import { createKept, exported, fingerprint } from "./exported.ts";

const { fault, scene } = containerScenes("pods of exported templates");

/** A mount of a folder in a volume, as a mount of a volume of its own. */
const asVolume = ({ name, subPath, ...rest }: VolumeMount): VolumeMount =>
  subPath === undefined ? { name, ...rest } : { name: `${name}-${subPath}`, ...rest };

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
          restartPolicy: "Never",
          containers: template.containers.map((each) => ({ ...each, volumeMounts: each.volumeMounts.map(asVolume) })),
          volumes: [
            ...template.volumes,
            { name: "data", hostPath: { path: volume, type: "Directory" } },
            { name: "data-home", hostPath: { path: path.join(volume, "home"), type: "Directory" } },
          ],
        };
        // Podman applies the pod's `restartPolicy` to init containers too: with the default one that has ended is started again and
        // again, and `kube play`, which asks four times a second whether it has, may never see it. Nor does it remove such a one.
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
