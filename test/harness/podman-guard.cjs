/**
 * Removes everything of a test's podman, however the test ends. `flock FOLDER/owner node podman-guard.cjs FOLDER` waits
 * for the end of its standard input, which is the end of the test. Then it ends the living processes of that podman and
 * removes its files. The kernel's lock on `owner` says that a folder is in use, whatever pid namespace its test runs in.
 * Folders without an owner, whose guard and test were killed together, are cleaned first.
 */
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

/** How often it checks whether a killed process has gone, 50 ms apart. */
const LOOKS = 200;

/** Returns the content of a folder, and nothing where it cannot be read. */
function entries(folder) {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function read(file) {
  try {
    return fs.readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

/** Returns the ids of this podman's containers, and of their pods. */
function idsOf(folder) {
  const containers = path.join(folder, "storage/vfs-containers");
  const names = entries(containers).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  const pods = names.flatMap(
    (name) =>
      read(path.join(containers, name, "userdata/config.json")).match(/(?<=libpod_parent\/)[0-9a-f]{64}/g) ?? [],
  );
  return [...new Set([...names, ...pods])];
}

/**
 * Returns the programs whose command line names the folder (podman, its monitors), and all processes in a cgroup of its
 * containers.
 */
function livingOf(folder, ids) {
  const ours = new Set([process.pid, process.ppid]);
  return entries("/proc")
    .map(({ name }) => Number(name))
    .filter((pid) => pid > 1 && !ours.has(pid))
    .filter((pid) => {
      const groups = read(`/proc/${pid}/cgroup`);
      return read(`/proc/${pid}/cmdline`).includes(`${folder}/`) || ids.some((id) => groups.includes(id));
    });
}

function endLiving(folder, ids) {
  for (let look = 0; look < LOOKS; look += 1) {
    const living = livingOf(folder, ids);
    if (living.length === 0) return;
    for (const pid of living) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended already.
      }
    }
    spawnSync("sleep", ["0.05"]);
  }
}

function unmount(folder) {
  const mounts = read("/proc/self/mountinfo")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((place) => place.startsWith(`${folder}/`));
  for (const place of mounts.toReversed()) spawnSync("umount", ["--lazy", place]);
}

/** Removes a cgroup like an empty folder, the innermost first; one in use stays. */
function removeGroup(group) {
  for (const entry of entries(group)) if (entry.isDirectory()) removeGroup(path.join(group, entry.name));
  try {
    fs.rmdirSync(group);
  } catch {
    // It belongs to another podman.
  }
}

/** A container has its cgroup beside those of others, or inside that of its pod. */
function removeGroups(ids) {
  const roots = ["/sys/fs/cgroup", ...entries("/sys/fs/cgroup").map(({ name }) => `/sys/fs/cgroup/${name}`)];
  for (const parent of roots.map((root) => path.join(root, "libpod_parent"))) {
    for (const { name } of entries(parent)) {
      const group = path.join(parent, name);
      if ([name, ...entries(group).map((inner) => inner.name)].some((each) => ids.some((id) => each.includes(id)))) {
        removeGroup(group);
      }
    }
  }
}

function clean(folder) {
  const ids = idsOf(folder);
  endLiving(folder, ids);
  unmount(folder);
  removeGroups(ids);
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A folder without `held` is still being made. */
function cleanAbandoned(beside) {
  const parent = path.dirname(beside);
  for (const { name } of entries(parent)) {
    const folder = path.join(parent, name);
    if (!name.startsWith("lk-podman-") || folder === beside || !fs.existsSync(path.join(folder, "held"))) continue;
    const owner = path.join(folder, "owner");
    spawnSync("flock", ["--nonblock", owner, process.execPath, __filename, "--clean", folder], { timeout: 60_000 });
  }
}

const [first, second] = process.argv.slice(2);
if (first === "--clean") {
  clean(second);
} else {
  fs.writeFileSync(path.join(first, "held"), "");
  cleanAbandoned(first);
  process.stdout.write("ready\n");
  process.stdin.resume().on("close", () => clean(first));
  // A terminal's Ctrl-C is for the test; the guard waits for the test's end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
}
