/**
 * A home of another user: who may read it is shown everything and changes nothing; who may not is told so by every command, and not sent
 * on to a command that is refused as well.
 */
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";

const OWNER = 4_101;
const STRANGER = 4_102;

const asUser = (uid: number): string[] => ["--reuid", `${uid}`, "--regid", `${uid}`, "--clear-groups", "--"];
const canRead = spawnSync("setpriv", [...asUser(STRANGER), process.execPath, CLI_ENTRY, "--version"]).status === 0;
const isAble = process.getuid?.() === 0 && canRead;
if (!isAble) process.stdout.write("skipped: this test needs root, setpriv, and a folder that other users may read\n");

describe.runIf(isAble)("a home of another user", () => {
  let folder: string;
  let home: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "lockkeeper-users-"));
    await chmod(folder, 0o755);
    home = path.join(folder, "home");
    await mkdir(home, { mode: 0o700 });
    spawnSync("chown", [`${OWNER}`, home]);
    expect(run(OWNER, "create", "dev", "--kind", "builtin")).toMatchObject({ status: 0 });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  function run(uid: number, ...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    const user = uid === 0 ? ["--"] : asUser(uid);
    const command = [...user, process.execPath, CLI_ENTRY, ...args];
    const { status, stdout, stderr } = spawnSync("setpriv", command, {
      encoding: "utf8",
      cwd: "/",
      env: bareEnvironment(home),
      timeout: 240_000,
    });
    return { status, stdout, stderr };
  }

  test.each([
    ["stop", "dev"],
    ["restart", "dev"],
    ["remove", "dev", "--yes"],
    ["edit", "dev", "--env", "A=1"],
    ["rename", "dev", "new"],
    ["start", "dev"],
    ["down"],
    ["list"],
  ])("that may not be read: %s is refused with 77, as whose it is", (...args) => {
    const { status, stderr } = run(STRANGER, ...args);
    expect({ status, stderr }).toMatchObject({ status: 77 });
    expect(stderr).toMatch(/hint: Run it as (its|the) owner/);
    expect(stderr).not.toContain("--confirm");
  });

  test("that may be read is shown alike by list and discover, and nothing in it becomes root's", async () => {
    for (const command of ["list", "discover", "status", "ports", "doctor", "why"]) {
      const { stdout } = run(0, command, ...(["status", "why"].includes(command) ? ["dev"] : []));
      if (command === "list" || command === "discover") expect(stdout).toMatch(/\bdev\b/);
    }
    const entries = await readdir(home, { recursive: true });
    const owners = await Promise.all(entries.map(async (entry) => (await stat(path.join(home, entry))).uid));
    expect(new Set(owners)).toEqual(new Set([OWNER]));
  });
});
