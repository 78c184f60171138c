/**
 * Real containers for tests: podman with storage of its own, and an image that holds Node, a shell and Lockkeeper, made from this
 * machine's own programs because no registry is asked. Whoever uses it asks `podmanFault` first.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CLI_ENTRY } from "./cli.ts";
import type { CliRun } from "./cli.ts";
import { until } from "./until.ts";

export interface Podman {
  /** Runs podman to its end; input is never given. */
  readonly run: (...args: readonly string[]) => Promise<CliRun>;
  /** The same, and fails when podman does. Returns its standard output. */
  readonly must: (...args: readonly string[]) => Promise<string>;
  readonly image: string;
  /** A name that no other container of this storage has. */
  readonly name: () => string;
  /** The socket of an API server that is up until the end; made when it is first asked for. */
  readonly socket: () => Promise<string>;
  readonly env: Readonly<Record<string, string>>;
}

/** What the image has beside Node and Lockkeeper. */
const PROGRAMS = ["sh", "mkdir", "sleep", "touch", "cat", "tar", "catatonit"];

const IMAGE = "localhost/lockkeeper-test:1";

let looked: string | undefined | null = null;

/** Returns why no container can be run here; undefined when one can. */
export function podmanFault(): string | undefined {
  if (looked !== null) return looked;
  looked = findFault();
  return looked;
}

function findFault(): string | undefined {
  if (process.platform !== "linux" || process.geteuid?.() !== 0) return "containers are run by root on Linux here";
  for (const program of ["podman", "runc", ...PROGRAMS]) {
    if (find(program) === undefined) return `${program} is not installed`;
  }
  const folder = mkdtempSync(path.join(tmpdir(), "lk-podman-"));
  try {
    mkdirSync(path.join(folder, "root/usr"), { recursive: true });
    for (const [link, target] of rootLinks()) symlinkSync(target, path.join(folder, "root", link));
    const args = [
      "run",
      "--rm",
      "--network=host",
      "-v",
      "/usr:/usr:ro",
      "--rootfs",
      path.join(folder, "root"),
      "/usr/bin/true",
    ];
    const { status, stderr } = spawnSync("podman", [...storage(folder), ...args], {
      env: environment(folder),
      encoding: "utf8",
      timeout: 30_000,
    });
    return status === 0 ? undefined : `podman runs nothing here: ${stderr.trim().split("\n").at(-1) ?? ""}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Gives `use` a podman; afterwards none of its containers is left. */
export async function withPodman(use: (podman: Podman) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "lk-podman-"));
  const env = environment(folder);
  let server: ChildProcess | undefined;
  let names = 0;
  const run: Podman["run"] = (...args) => runPodman([...storage(folder), ...args], env);
  const must: Podman["must"] = async (...args) => {
    const { status, stdout, stderr } = await run(...args);
    if (status !== 0) throw new Error(`podman ${args.join(" ")}: exit ${status}: ${stderr}`);
    return stdout;
  };
  const socket = async (): Promise<string> => {
    const file = path.join(folder, "api.sock");
    server ??= spawn("podman", [...storage(folder), "system", "service", "--time=0", `unix://${file}`], {
      env,
      stdio: "ignore",
    });
    await until("podman's API is up", () => existsSync(file));
    return `unix://${file}`;
  };
  try {
    buildImage(folder, env);
    await use({
      run,
      must,
      image: IMAGE,
      name: () => `lk-${process.pid}-${(names += 1)}`,
      socket,
      env,
    });
  } finally {
    await run("rm", "--all", "--force", "--time=0");
    await run("pod", "rm", "--all", "--force");
    await run("volume", "rm", "--all", "--force");
    if (server !== undefined) {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    }
    await run("rmi", "--all", "--force");
    rmSync(folder, { recursive: true, force: true });
  }
}

function storage(folder: string): readonly string[] {
  return ["--root", path.join(folder, "storage"), "--runroot", path.join(folder, "runroot"), "--storage-driver=vfs"];
}

/** The limits are those that a container without CAP_SYS_RESOURCE may set, and the cgroups those of any host. */
function environment(folder: string): Record<string, string> {
  const file = path.join(folder, "containers.conf");
  const limits = 'default_ulimits=["nofile=1024:1024","nproc=1000:1000"]';
  const engine = `runtime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="file"\ntmp_dir="${folder}/tmp"`;
  if (!existsSync(file)) writeFileSync(file, `[containers]\n${limits}\n[engine]\n${engine}\n`);
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    CONTAINERS_CONF: file,
    TMPDIR: folder,
  };
}

function buildImage(folder: string, env: Readonly<Record<string, string>>): void {
  const root = path.join(folder, "image");
  for (const place of ["usr/bin", "usr/lib", "tmp", "etc", "opt/lockkeeper", "volume"]) {
    mkdirSync(path.join(root, place), { recursive: true });
  }
  for (const [link, target] of rootLinks()) symlinkSync(target, path.join(root, link));
  writeFileSync(path.join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n");
  const programs = PROGRAMS.map((program) => [find(program) ?? program, program] as const);
  for (const [file, name] of [[process.execPath, "node"] as const, ...programs]) {
    cpSync(realpathSync(file), path.join(root, "usr/bin", name));
    for (const library of librariesOf(file)) {
      // By the name that the loader looks for, in the place where /lib leads to.
      const place = path.join(root, library.startsWith("/usr/") ? library : `/usr${library}`);
      mkdirSync(path.dirname(place), { recursive: true });
      cpSync(realpathSync(library), place);
    }
  }
  copyPackage(path.dirname(path.dirname(CLI_ENTRY)), path.join(root, "opt/lockkeeper"));
  const launcher = '#!/bin/sh\nexec node /opt/lockkeeper/bin/lockkeeper.js "$@"\n';
  writeFileSync(path.join(root, "usr/bin/lockkeeper"), launcher, { mode: 0o755 });
  const tar = execFileSync("tar", ["-C", root, "--mode=go+rX", "-c", "."], { maxBuffer: 1 << 30 });
  const changes = ['ENTRYPOINT ["catatonit","--","lockkeeper"]', "ENV PATH=/usr/bin"].flatMap((line) => [
    "--change",
    line,
  ]);
  execFileSync("podman", [...storage(folder), "import", ...changes, "-", IMAGE], {
    env,
    input: tar,
    stdio: ["pipe", "pipe", "pipe"],
  });
  rmSync(root, { recursive: true, force: true });
}

/** What is published of the command line, with what it depends on beside it. */
function copyPackage(from: string, to: string): void {
  const published = ["bin", "dist", "package.json"];
  for (const part of published) {
    cpSync(path.join(from, part), path.join(to, part), { recursive: true, filter: (file) => !file.endsWith(".map") });
  }
  const copyDependencies = (folder: string, beside: string): void => {
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
    };
    for (const name of Object.keys(dependencies)) {
      const target = path.join(to, "node_modules", name);
      const source = path.join(beside, name);
      if (existsSync(target) || !existsSync(source)) continue;
      const real = realpathSync(source);
      cpSync(real, target, { recursive: true, dereference: true });
      copyDependencies(real, path.dirname(real));
    }
  };
  copyDependencies(from, path.join(from, "node_modules"));
}

/** Source: ldd(1): `name => /path (address)`, or the loader by its path alone. */
function librariesOf(file: string): readonly string[] {
  const { stdout } = spawnSync("ldd", [file], { encoding: "utf8" });
  return [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].flatMap(([, library]) =>
    library === undefined ? [] : [library],
  );
}

function rootLinks(): readonly (readonly [string, string])[] {
  const merged = readdirSync("/").filter((name) => /^(?:bin|sbin|lib\d*)$/.test(name));
  return merged.map((name) => [name, `usr/${name}`] as const);
}

function find(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":").concat("/usr/sbin", "/usr/bin");
  return folders.map((folder) => path.join(folder, program)).find((file) => existsSync(file));
}

function runPodman(args: readonly string[], env: Readonly<Record<string, string>>): Promise<CliRun> {
  const child = spawn("podman", args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    // A container's own helpers keep the pipes open: what was printed by its end is all there is.
    child.on("exit", (status) => setImmediate(() => resolve({ status, stdout, stderr })));
  });
}
