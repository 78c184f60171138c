/**
 * Kubernetes: a StatefulSet with one replica for each profile, its claim, and a Service where the gateway listens widely. Pure.
 * A StatefulSet promises at most one pod of a name, ReadWriteOncePod at most one that has the volume, and the kernel's lock stands
 * behind both. The types are those of the real API, so that the compiler refuses an unknown field.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { isLoopbackHost, shellQuote } from "@lockkeeper/core/internal";
import type { StatefulSet } from "kubernetes-types/apps/v1.js";
import type { Container, EnvVar, PodSpec, Service, VolumeMount } from "kubernetes-types/core/v1.js";
import { healthCommand } from "./container-plan.ts";
import type { ContainerPlan, Mount } from "./container-plan.ts";
import { formatYaml } from "./yaml.ts";
import type { Yaml } from "./yaml.ts";

/** The size of a claim; to be edited. */
const STORAGE = "10Gi";

/** Creates the folders, and waits until a person has copied the home: a gateway in an empty home would be another profile. */
const PREPARE = 'mkdir -p -m 0700 "$@" && until [ -e /volume/copied ]; do sleep 1; done';

/**
 * Returns the text, one document after the other.
 *
 * @throws {LockkeeperError} OPTION_INVALID for a profile with a name or path that Kubernetes cannot express, or a file outside
 * of the home.
 */
export function formatKubernetes(plans: readonly ContainerPlan[], image: string): string {
  const documents = plans.flatMap((plan) => {
    refuseStrange(plan);
    const service = plan.network === "host" ? [] : [serviceOf(plan, plan.network.published)];
    return [heading(plan) + yaml(statefulSet(plan, image)), ...service.map(yaml)];
  });
  return documents.join("---\n");
}

/** The types of the API differ from {@link Yaml}, but their values are the same. */
function yaml(value: StatefulSet | Service): string {
  return formatYaml(value as unknown as Yaml);
}

function objectName({ profile }: ContainerPlan): string {
  return `lk-${profile}`;
}

/** Source: RFC 1123 labels; a mountPath holds no colon (kubernetes.io, VolumeMount). */
function refuseStrange({ profile, home, host, network, mounts }: ContainerPlan): void {
  const refuse = (fault: string, hint: string): never => {
    throw new LockkeeperError("OPTION_INVALID", `${profile} cannot be exported to Kubernetes: ${fault}`, { hint });
  };
  if (profile.endsWith("-")) {
    refuse("no object there has a name that ends with -", `lockkeeper rename ${profile} ${profile.replace(/-+$/, "")}`);
  }
  if (network === "host" && !isLoopbackHost(host)) {
    refuse(`a pod has no address ${host}`, `lockkeeper edit ${profile} --host 0.0.0.0`);
  }
  const colon = mounts.find(({ path }) => path.includes(":"));
  if (colon !== undefined) refuse(`a mount cannot hold a colon: ${colon.path}`, "Move it to a path without one.");
  const file = mounts.find(({ role }) => role === "file");
  if (file !== undefined) {
    refuse(
      `${file.path} lies outside of the home, and only that is in the volume`,
      `lockkeeper edit ${profile} --env-file ${home}/profiles/${profile}/env`,
    );
  }
}

/** Instructions to copy the home into the volume. A path has no control character, so it cannot begin a line of its own. */
function heading(plan: ContainerPlan): string {
  const pod = `${objectName(plan)}-0`;
  const copies = foldersOf(plan).map(
    ({ mount, subPath }) =>
      `#   tar -C ${shellQuote(mount.path)} -c . | kubectl exec -i ${pod} -c folders -- tar -C /volume/${subPath} -x --no-same-owner`,
  );
  return [
    `# ${plan.profile}. Stopped on the host, applied here, its first start waits for what it has there:`,
    ...copies,
    `#   kubectl exec ${pod} -c folders -- touch /volume/copied`,
    ...(plan.network === "host" ? [`# It listens on ${plan.host}: kubectl port-forward ${pod} ${plan.port}`] : []),
    "",
  ].join("\n");
}

function statefulSet(plan: ContainerPlan, image: string): StatefulSet {
  const name = objectName(plan);
  const labels = { "app.kubernetes.io/name": "lockkeeper", "app.kubernetes.io/instance": name };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, labels },
    spec: {
      replicas: 1,
      serviceName: name,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(plan, image) },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOncePod"], resources: { requests: { storage: STORAGE } } },
        },
      ],
    },
  };
}

function podSpec(plan: ContainerPlan, image: string): PodSpec {
  const { uid, gid } = plan;
  const folders = foldersOf(plan);
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: plan.stopSeconds,
    securityContext: {
      ...(uid === 0 ? {} : { runAsNonRoot: true }),
      runAsUser: uid,
      runAsGroup: gid,
      fsGroup: gid,
      // Otherwise the kubelet opens every file of the volume to the group at each start.
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    // The group may write the volume's root; folders that this user makes in it are private.
    initContainers: [
      {
        name: "folders",
        image,
        command: ["sh", "-c", PREPARE, "sh", ...folders.map((folder) => `/volume/${folder.subPath}`)],
        securityContext: restricted(true),
        volumeMounts: [{ name: "data", mountPath: "/volume" }],
      },
    ],
    containers: [gateway(plan, image, folders)],
    volumes: [{ name: "tmp", emptyDir: {} }],
  };
}

function gateway(plan: ContainerPlan, image: string, folders: readonly Folder[]): Container {
  const { profile, home, userHome, passEnv, kind, memoryMaxBytes, network } = plan;
  const exec = { command: [...healthCommand(plan)] };
  const env: EnvVar[] = [
    { name: "LOCKKEEPER_HOME", value: plain(home) },
    { name: "HOME", value: plain(userHome) },
    ...passEnv.map((name) => ({
      name,
      valueFrom: { secretKeyRef: { name: `${objectName(plan)}-env`, key: name, optional: true } },
    })),
  ];
  const mounts: VolumeMount[] = folders.map((folder) => ({
    name: "data",
    mountPath: folder.mount.path,
    subPath: folder.subPath,
  }));
  return {
    name: "gateway",
    image,
    // The entry point of the image is an init with Lockkeeper behind it.
    args: ["run", profile],
    env,
    ...(network === "host"
      ? {}
      : { ports: network.published.map((containerPort) => ({ name: `p${containerPort}`, containerPort })) }),
    ...(memoryMaxBytes === undefined ? {} : { resources: { limits: { memory: String(memoryMaxBytes) } } }),
    startupProbe: { exec, periodSeconds: 5, timeoutSeconds: 10, failureThreshold: Math.ceil(plan.startSeconds / 5) },
    readinessProbe: { exec, periodSeconds: 30, timeoutSeconds: 10 },
    // No liveness probe: the keeper restarts crashes and never ends a slow gateway; when the keeper ends, the pod ends.
    securityContext: restricted(kind === "builtin"),
    volumeMounts: [...mounts, { name: "tmp", mountPath: "/tmp" }],
  };
}

function restricted(readOnlyRootFilesystem: boolean): NonNullable<Container["securityContext"]> {
  return { allowPrivilegeEscalation: false, readOnlyRootFilesystem, capabilities: { drop: ["ALL"] } };
}

function serviceOf(plan: ContainerPlan, published: readonly number[]): Service {
  const name = objectName(plan);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: {
      selector: { "app.kubernetes.io/instance": name },
      ports: published.map((port) => ({ name: `p${port}`, port })),
    },
  };
}

interface Folder {
  readonly mount: Mount;
  /** Its place in the volume. */
  readonly subPath: string;
}

/** The folders for the volume; code is not among them. */
function foldersOf({ mounts }: ContainerPlan): readonly Folder[] {
  return mounts
    .filter(({ role }) => role !== "cwd")
    .map((mount, index) => ({ mount, subPath: mount.role === "home" ? "home" : `folder-${index}` }));
}

/** `$(NAME)` is a reference there, and `$$` a dollar sign. */
function plain(text: string): string {
  return text.replaceAll("$", "$$$$");
}
