/**
 * One profile as a container of any engine: its mounts, its user, its addresses, and the needs of its image. Everything is as
 * on the host, with the same absolute paths, user and addresses, so that nothing on disk changes on the way there and back.
 * Holds no secret: token and env file stay in the home.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { isWildcardHost, reachableHost, shellCommand } from "@lockkeeper/core/internal";
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import type { KindName, Manifest } from "../manifest.ts";
import { launchPlan } from "../run/launch-plan.ts";
import { unitStopTimeoutMs } from "../service/unit-of.ts";

/** A path that is the same inside and outside. */
export interface Mount {
  readonly path: string;
  /** Its purpose: the home and the gateway's data are state, a working directory is code. */
  readonly role: "home" | "state" | "cwd" | "file";
}

/** The input for the text of every engine. */
export interface ContainerPlan {
  readonly profile: string;
  readonly kind: KindName;
  readonly home: string;
  /** `HOME` of the process: as on the host. */
  readonly userHome: string;
  readonly uid: number;
  readonly gid: number;
  readonly host: string;
  readonly port: number;
  /** The host's own network, or one of its own with these ports published on every address; `::` means IPv4 too, as on the host. */
  readonly network: "host" | { readonly published: readonly number[]; readonly address: "0.0.0.0" | "::" };
  readonly stopSeconds: number;
  readonly startSeconds: number;
  /** Names of variables that the engine passes on, without values. */
  readonly passEnv: readonly string[];
  /** None is inside another, except inside a working directory. */
  readonly mounts: readonly Mount[];
  /** Other profiles that are started before it. */
  readonly after: readonly string[];
  readonly memoryMaxBytes?: number | undefined;
  /** The size of `/dev/shm`. */
  readonly sharedMemoryGiB?: number | undefined;
  /** The needs of the image besides Lockkeeper, in words. */
  readonly needs: readonly string[];
}

/**
 * Room on top of the gateway's own limit, in bytes, for the keeper and for commands in the container, such as health checks.
 * Source: measured in containers with Node 20 on x64: a keeper takes 11 MiB, 20 while it starts, each command beside it about
 * 10 more; three `doctor` at once peaked at 43 in all. Three times that, because newer Nodes take more.
 */
const KEEPER_BYTES = 128 * 1024 * 1024;

/** How much longer than a usual start an engine waits before it counts failed checks. */
const START_GRACE_MS = 30_000;

/** Mounting one of these would hide parts of the image. */
const IMAGES_OWN: ReadonlySet<string> = new Set(
  "/ /bin /boot /dev /etc /home /lib /lib64 /opt /proc /root /run /sbin /sys /tmp /usr /usr/bin /usr/lib /usr/local /usr/local/bin /usr/sbin /var".split(
    " ",
  ),
);

/**
 * Returns the plan of a profile.
 *
 * @throws {LockkeeperError} OPTION_INVALID for a path that cannot be mounted, or an unknown placeholder.
 */
export function containerPlan(context: ProfilesContext, manifest: Manifest): ContainerPlan {
  const { home, env } = context;
  const { name, kind, host, port, passEnv = [], after = [], memoryMaxBytes } = manifest;
  const { uid, gid } = statSync(home);
  const mounts = mountsOf(home, manifest);
  return {
    profile: name,
    kind,
    home,
    userHome: env["HOME"] ?? path.dirname(home),
    uid,
    gid,
    host,
    port,
    network: networkOf(manifest),
    sharedMemoryGiB: kinds[kind].sharedMemoryGiB,
    stopSeconds: Math.ceil(unitStopTimeoutMs(manifest) / 1_000),
    startSeconds: Math.ceil((kinds[kind].startTimeoutMs + START_GRACE_MS) / 1_000),
    passEnv,
    mounts,
    after,
    memoryMaxBytes: memoryMaxBytes === undefined ? undefined : memoryMaxBytes + KEEPER_BYTES,
    needs: needsOf(context, manifest, mounts),
  };
}

/** Returns the health check that an engine runs in the container. A gateway that runs in another container does not count. */
export function healthCommand({ profile }: ContainerPlan): readonly string[] {
  return ["lockkeeper", "status", profile, "--here", "--quiet"];
}

/** Returns whether `file` is inside a mount. */
export function isMounted(file: string, mounts: readonly Mount[]): boolean {
  return mounts.some((mount) => liesIn(file, mount.path));
}

function mountsOf(home: string, { name, kind, cwd, paths, envFile, lease }: Manifest): readonly Mount[] {
  const wanted: Mount[] = [
    { path: home, role: "home" },
    ...[path.dirname(paths.config), paths.state, paths.workspace].map((each) => ({
      path: each,
      role: "state" as const,
    })),
    // A command's program is found from its working directory; the other kinds find theirs in PATH.
    ...(cwd === undefined || kind !== "command" ? [] : [{ path: cwd, role: "cwd" as const }]),
    ...[envFile, lease?.credentialsFile]
      .filter((file) => file !== undefined)
      .map((file) => ({ path: file, role: "file" as const })),
  ];
  for (const mount of wanted) refuseUnmountable(name, mount);
  // A working directory around the home does not replace its mount: only our own files go into a volume.
  const covers = (other: Mount, each: Mount): boolean => other.role !== "cwd" && liesIn(each.path, other.path);
  return wanted.filter(
    (each, index) => !wanted.some((other, place) => (other.path === each.path ? place < index : covers(other, each))),
  );
}

function refuseUnmountable(name: string, { path: place, role }: Mount): void {
  const said = JSON.stringify(place);
  if (!path.isAbsolute(place)) {
    throw new LockkeeperError("OPTION_INVALID", `${name} cannot be exported: ${said} is not an absolute path`);
  }
  if (/\p{Cc}/u.test(place)) {
    throw new LockkeeperError("OPTION_INVALID", `${name} cannot be exported: no engine takes the path ${said}`, {
      hint: "Move it to a path without control characters.",
    });
  }
  if (!IMAGES_OWN.has(place)) return;
  throw new LockkeeperError("OPTION_INVALID", `${name} cannot be exported: a mount at ${place} would hide the image`, {
    hint:
      role === "cwd"
        ? shellCommand("lockkeeper", "edit", name, "--cwd", `${place === "/" ? "" : place}/app`)
        : "Move it to a folder of its own.",
  });
}

/** A container with its own network can listen on all its addresses; a particular address belongs to the host. */
function networkOf({ kind, host, ports }: Manifest): ContainerPlan["network"] {
  if (!isWildcardHost(host)) return "host";
  // Derived ports are for the gateway itself, on its own loopback.
  const derived = new Set(kinds[kind].derived.map(({ name }) => name));
  const published = Object.entries(ports).flatMap(([label, port]) => (derived.has(label) ? [] : [port]));
  // All addresses have several spellings: `0`, `0:0:0:0:0:0:0:0`, `::ffff:0.0.0.0`.
  return { published: [...new Set(published)], address: reachableHost(host) === "::1" ? "::" : "0.0.0.0" };
}

function needsOf(context: ProfilesContext, manifest: Manifest, mounts: readonly Mount[]): readonly string[] {
  const { name, kind, hooks = {} } = manifest;
  const needs: string[] = [];
  if (kind !== "builtin") {
    const { argv, cwd } = launchPlan(manifest, context.programs.gateway);
    const [program, ...rest] = argv;
    const place = path.resolve(cwd, program);
    if (!program.includes("/")) needs.push(`the program ${program}, in its PATH`);
    else if (!isMounted(place, mounts)) needs.push(`the program ${place}`);
    const named = rest.map((argument) => argument.replace(/^-[^=/]*=/, "")).filter((each) => path.isAbsolute(each));
    for (const file of named) {
      if (existsSync(file) && !isMounted(file, mounts)) needs.push(`${file}, which an argument names`);
    }
  }
  for (const target of Object.values(hooks)) {
    if (path.isAbsolute(target) && !isMounted(target, mounts)) needs.push(`the hook ${target}`);
  }
  return [...new Set(needs)].map((need) => `${name} needs ${need}`);
}

function liesIn(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}
