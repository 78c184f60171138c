/**
 * A real systemd for tests: an unprivileged user manager in its own namespaces (mount, pid, network), with its own home,
 * run directory and cgroup. Nothing of the host's systemd is used or changed. Needs root, and Debian's systemd and dbus;
 * Linux only.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { CLI_ENTRY } from "./cli.ts";

/** No user of the host has this number. It is unprivileged on purpose: root would need no permission from a manager. */
const UID = 54_321;

const MANAGER = "/lib/systemd/systemd";

/** Why there can be no manager; undefined when there can. */
export const NO_SYSTEMD: string | undefined = reason();

function reason(): string | undefined {
  if (process.platform !== "linux") return "systemd is for Linux";
  if (process.getuid?.() !== 0) return "starting a systemd of one's own in namespaces needs root";
  if (!existsSync(MANAGER)) return "systemd is not installed";
  if (spawnSync("dbus-daemon", ["--version"]).error !== undefined) return "dbus is not installed";
  const { status } = spawnSync("unshare", ["--mount", "--pid", "--net", "--fork", "--mount-proc", "true"]);
  return status === 0 ? undefined : "this host allows no namespaces";
}

/** The result of one command in the manager's world. */
export interface ManagedRun {
  readonly status: number;
  readonly output: string;
}

export interface UserManager {
  /** The path of the user's home, in there and out here. */
  readonly home: string;
  /** Runs one line of shell as the manager's user, with PATH, HOME and the bus; stdout and stderr together. */
  readonly sh: (line: string) => Promise<ManagedRun>;
  /** Runs the command line. */
  readonly lk: (args: string) => Promise<ManagedRun>;
  /** Ends the manager and everything that it runs, and starts another one over the same home, like a reboot. */
  readonly reboot: () => Promise<void>;
}

/** Gives `use` a user manager; afterwards nothing of it is left. */
export async function withUserManager(use: (manager: UserManager) => Promise<void>, homeName = "home"): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-systemd-"));
  chmodSync(folder, 0o755);
  const home = path.join(folder, homeName);
  mkdirSync(home, { mode: 0o700 });
  chownSync(home, UID, UID);
  let world = await startWorld(folder, home);
  try {
    await use({
      home,
      sh: (line) => world.sh(line),
      lk: (args) => world.sh(`${process.execPath} ${CLI_ENTRY} ${args}`),
      reboot: async () => {
        await world.end();
        world = await startWorld(folder, home);
      },
    });
  } finally {
    await world.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface World {
  readonly sh: (line: string) => Promise<ManagedRun>;
  readonly end: () => Promise<void>;
}

/** The cgroup roots of this host, in both layouts. */
function cgroupRoots(): readonly string[] {
  const hybrid = ["systemd", "unified"].map((name) => `/sys/fs/cgroup/${name}`).filter((root) => existsSync(root));
  return hybrid.length > 0 ? hybrid : ["/sys/fs/cgroup"];
}

async function startWorld(folder: string, home: string): Promise<World> {
  const groups = cgroupRoots().map((root) => path.join(root, `lockkeeper-test.${process.pid}.${Date.now()}`));
  for (const group of groups) {
    mkdirSync(group);
    spawnSync("chown", ["-R", String(UID), group]);
  }
  const runtime = `/run/user/${UID}`;
  const script = path.join(folder, "world.sh");
  // Pid 1 must not be asked (systemd looks for /run/systemd/system to see whether it booted the host), so /run is a
  // tmpfs of its own.
  writeFileSync(
    script,
    `
for group in ${groups.map((group) => `'${group}'`).join(" ")}; do echo $$ >"$group/cgroup.procs"; done
exec unshare --mount --pid --net --fork --kill-child --mount-proc bash -c '
  mount --make-rprivate /; mount -t tmpfs tmpfs /run; ip link set lo up
  mkdir -p /run/systemd/system ${runtime}; chown ${UID} ${runtime}; chmod 700 ${runtime}
  exec setpriv --reuid ${UID} --clear-groups bash ${path.join(folder, "inside.sh")}'
`,
  );
  writeFileSync(
    path.join(folder, "inside.sh"),
    `
export HOME='${home.replaceAll("'", `'\\''`)}' XDG_RUNTIME_DIR=${runtime} PATH=${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin NO_COLOR=1 CI=1
unset DBUS_SESSION_BUS_ADDRESS LOCKKEEPER_HOME LOCKKEEPER_PROFILE NODE_OPTIONS
cd "$HOME"
${MANAGER} --user --unit=default.target >/dev/null 2>&1 &
for i in $(seq 1200); do case $(systemctl --user is-system-running 2>/dev/null) in running|degraded) break;; esac; sleep .05; done
echo '{"ready":true}'
while IFS= read -r line; do
  output=$(timeout 120 bash -c "$line" 2>&1 </dev/null | base64 -w0; exit "\${PIPESTATUS[0]}")
  echo "{\\"status\\":$?,\\"output\\":\\"$output\\"}"
done
`,
  );
  const child = spawn("bash", [script], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const readAnswer = async (): Promise<{ status?: number; output?: string }> => {
    const { value, done } = (await lines.next()) as { value: string; done?: boolean };
    if (done === true) throw new Error("the user manager's world has ended");
    return JSON.parse(value) as { status?: number; output?: string };
  };
  await readAnswer();
  let queue: Promise<unknown> = Promise.resolve();
  return {
    sh(line) {
      const answer = queue.then(async () => {
        child.stdin.write(`${line.replaceAll("\n", "; ")}\n`);
        const { status = -1, output = "" } = await readAnswer();
        return { status, output: Buffer.from(output, "base64").toString("utf8") };
      });
      queue = answer.catch(() => undefined);
      return answer;
    },
    async end() {
      // The first process of the pid namespace: its end ends everything inside.
      child.kill("SIGKILL");
      await ended;
      for (const group of groups) removeGroup(group);
    },
  };
}

/** A cgroup can be removed when its processes have ended, the innermost first. */
function removeGroup(group: string): void {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      const inner = readdirSync(group, { withFileTypes: true, recursive: true }).filter((entry) => entry.isDirectory());
      const folders = inner.map((entry) => path.join(entry.parentPath, entry.name));
      for (const folder of folders.sort((a, b) => b.length - a.length)) rmdirSync(folder);
      rmdirSync(group);
      return;
    } catch {
      spawnSync("sleep", ["0.05"]);
    }
  }
}
