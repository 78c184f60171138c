/**
 * Real containers for tests: podman with its own storage, and the image of `podman-image.ts`. Whatever happens to the
 * test, `podman-guard.cjs` removes everything. Callers ask `podmanFault` first.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { CliRun } from "./cli.ts";
import { find, packImage, PROGRAMS, rootLinks } from "./podman-image.ts";
import { until } from "./until.ts";

export interface Podman {
  /**
   * Runs podman to its end; input is never given.
   *
   * @throws when it has not ended after {@link COMMAND_MS}, with what it printed and what its containers do.
   */
  readonly run: (...args: readonly string[]) => Promise<CliRun>;
  /** The same, but fails when podman does. Returns its standard output. */
  readonly must: (...args: readonly string[]) => Promise<string>;
  readonly image: string;
  /** The socket of an API server that runs until the end; it is started at the first use. */
  readonly socket: () => Promise<string>;
  /** With it another program uses the same podman. */
  readonly env: Readonly<Record<string, string>>;
  /** A folder of its own, which is removed at the end. */
  readonly folder: string;
  /** Ends and removes all containers, pods and volumes; the image stays. */
  readonly clear: () => Promise<void>;
  /** Ends and removes everything. */
  readonly close: () => Promise<void>;
}

/** The limit for one command of podman, in milliseconds. */
const COMMAND_MS = 180_000;
/** The limit for the guard's start, and for its end, in milliseconds. */
const GUARD_MS = 120_000;

const IMAGE = "localhost/lockkeeper-test:1";

let looked: string | undefined | null = null;

/** Returns why no container can run here; undefined when one can. */
export function podmanFault(): string | undefined {
  if (looked !== null) return looked;
  looked = findFault();
  return looked;
}

function findFault(): string | undefined {
  if (process.platform !== "linux" || process.geteuid?.() !== 0) return "containers are run by root on Linux here";
  for (const program of ["podman", "runc", "flock", ...PROGRAMS]) {
    if (find(program) === undefined) return `${program} is not installed`;
  }
  const folder = mkdtempSync(path.join(tmpdir(), "lk-podman-"));
  try {
    mkdirSync(path.join(folder, "root/usr"), { recursive: true });
    for (const [link, target] of rootLinks()) symlinkSync(target, path.join(folder, "root", link));
    const root = ["-v", "/usr:/usr:ro", "--rootfs", path.join(folder, "root")];
    // As a guard holds it: a killed test's leftovers are found by the next test.
    const held = [path.join(folder, "owner"), "sh", "-c", 'touch "$0" && exec "$@"', path.join(folder, "held")];
    const args = [...held, "podman", ...storage(folder), "run", "--rm", "--network=host", ...root, "/usr/bin/true"];
    const options = { env: environment(folder), encoding: "utf8", timeout: 120_000 } as const;
    const { status, stderr } = spawnSync("flock", args, options);
    return status === 0 ? undefined : `podman runs nothing here: ${stderr.trim().split("\n").at(-1) ?? ""}`;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Returns a podman with the image and nothing else. */
export async function openPodman(): Promise<Podman> {
  const folder = mkdtempSync(path.join(tmpdir(), "lk-podman-"));
  const env = environment(folder);
  const guard = await startGuard(folder);
  let server: ChildProcess | undefined;
  const run: Podman["run"] = (...args) => runPodman(folder, args, env);
  const clear = async (): Promise<void> => {
    await run("pod", "rm", "--all", "--force", "--time=0");
    await run("rm", "--all", "--force", "--time=0");
    await run("volume", "rm", "--all", "--force");
  };
  const close = async (): Promise<void> => {
    await clear().finally(async () => {
      if (server !== undefined) await ended(server, () => server?.kill("SIGTERM"));
      await ended(guard, () => guard.stdin?.end());
    });
    if (existsSync(folder)) throw new Error(`the guard left ${folder}`);
  };
  try {
    const imported = ['ENTRYPOINT ["catatonit","--","lockkeeper"]', "ENV PATH=/usr/bin"];
    const changes = imported.flatMap((line) => ["--change", line]);
    execFileSync("podman", [...storage(folder), "import", ...changes, "-", IMAGE], {
      env,
      input: packImage(path.join(folder, "image")),
      stdio: ["pipe", "pipe", "pipe"],
      timeout: COMMAND_MS,
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    run,
    must: async (...args) => {
      const { status, stdout, stderr } = await run(...args);
      if (status !== 0) throw new Error(`podman ${args.join(" ")}: exit ${status}: ${stderr}`);
      return stdout;
    },
    image: IMAGE,
    socket: async () => {
      const file = path.join(folder, "api.sock");
      server ??= spawn("podman", [...storage(folder), "system", "service", "--time=0", `unix://${file}`], {
        env,
        stdio: "ignore",
      });
      await until("podman's API is up", () => isListening(file));
      return `unix://${file}`;
    },
    env,
    folder,
    clear,
    close,
  };
}

/** Not in our process group, so that a signal that ends the test does not end it. */
async function startGuard(folder: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL("podman-guard.cjs", import.meta.url));
  const guard = spawn("flock", [path.join(folder, "owner"), process.execPath, program, folder], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const { stdout } = guard;
  if (stdout === null) throw new Error("the guard has no output");
  await once(stdout, "data", { signal: AbortSignal.timeout(GUARD_MS) });
  return guard;
}

/** A socket is there a moment before somebody listens on it. */
function isListening(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file, () => resolve(true)).on("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  const over = once(child, "exit", { signal: AbortSignal.timeout(GUARD_MS) });
  end();
  await over;
}

function storage(folder: string): readonly string[] {
  return ["--root", path.join(folder, "storage"), "--runroot", path.join(folder, "runroot"), "--storage-driver=vfs"];
}

/**
 * A container without CAP_SYS_RESOURCE may set these limits, and any host has these cgroups. Locks are in files, because
 * the usual ones in shared memory are one set for all storages of a host, and each new storage frees the locks of all
 * others: two podmans side by side then wait for each other forever.
 */
function environment(folder: string): Record<string, string> {
  const file = path.join(folder, "containers.conf");
  const limits = 'default_ulimits=["nofile=1024:1024","nproc=1000:1000"]';
  const engine = [
    'runtime="runc"',
    'cgroup_manager="cgroupfs"',
    'events_logger="file"',
    'lock_type="file"',
    `tmp_dir="${folder}/tmp"`,
  ];
  // `kube play` records a network that it may not even need.
  const network = ["[network]", `network_config_dir="${folder}/networks"`];
  if (!existsSync(file))
    writeFileSync(file, ["[containers]", limits, "[engine]", ...engine, ...network, ""].join("\n"));
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    CONTAINERS_CONF: file,
    TMPDIR: folder,
  };
}

async function runPodman(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CliRun> {
  const child = spawn("podman", [...storage(folder), ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const over = new AbortController();
  const late = setTimeout(() => over.abort(), COMMAND_MS);
  try {
    // A container's own helpers keep the pipes open: the output until its end is complete.
    const [status] = (await once(child, "exit", { signal: over.signal })) as [number | null];
    await new Promise(setImmediate);
    return { status, stdout, stderr };
  } catch (error) {
    if (!over.signal.aborted) throw error;
    child.kill("SIGKILL");
    const seen = [
      ["ps", "--all", "--format", "{{.Names}}: {{.Status}}"],
      ["events", "--stream=false", "--since=2m"],
    ].map((look) => {
      const { stdout: text } = spawnSync("podman", [...storage(folder), ...look], {
        env,
        encoding: "utf8",
        timeout: 10_000,
      });
      return text.split("\n").slice(-20).join("\n");
    });
    throw new Error(
      `podman ${args.join(" ")}: not ended after ${COMMAND_MS} ms\n${stdout}${stderr}\n${seen.join("\n")}`,
      { cause: error },
    );
  } finally {
    clearTimeout(late);
  }
}
