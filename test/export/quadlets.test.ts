/**
 * The quadlet that `export` prints, given to podman's own generator and to systemd; a broken variant must be refused.
 */
import { spawnSync } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { CLI_ENTRY } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { NO_SYSTEMD, withUserManager } from "../harness/systemd-user.ts";
import { until } from "../harness/until.ts";
import { exported, program } from "./exported.ts";

const QUADLET = program(
  "podman's quadlet (LOCKKEEPER_TEST_QUADLET names it)",
  process.env["LOCKKEEPER_TEST_QUADLET"],
  "/usr/libexec/podman/quadlet",
  "/usr/lib/podman/quadlet",
);
const ANALYZE = program("systemd-analyze", undefined, "/usr/bin/systemd-analyze");

describe.skipIf(QUADLET === undefined)("quadlet", () => {
  test("podman's generator makes a service of it that systemd accepts; a typing error is refused", () =>
    withScratchHome(async (scratch) => {
      const { run, folder } = scratch;
      const cwd = path.join(folder, "a b $HOME %h");
      await mkdir(cwd);
      expect((await run(["create", "cmd", "--cwd", cwd, "--env", "PASSED", "--", "node"])).status).toBe(0);
      expect((await run(["create", "first"])).status).toBe(0);
      expect((await run(["edit", "cmd", "--after", "first"])).status).toBe(0);
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
      expect(service).toMatch(/^After=lockkeeper-first\.service$/m);
      // Both signs reach systemd doubled, which is its own form.
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

  test.skipIf(NO_SYSTEMD !== undefined)(
    "its service under a real systemd runs the profile, restarts it after a kill, and leaves a conflict alone",
    () =>
      withUserManager(async ({ sh, lk, home }) => {
        const done = async (line: string): Promise<string> => {
          const { status, output } = await sh(line);
          expect(status, `${line}: ${output}`).toBe(0);
          return output.trim();
        };
        const shown = (unit: string, fact: string): Promise<string> =>
          done(`systemctl --user show --value -p ${fact} ${unit}`);
        // Rootless podman needs more rights than this user has: a stand-in runs the container's command directly.
        await writeFile(path.join(home, "podman"), PODMAN, { mode: 0o755 });
        await cp(QUADLET ?? "", path.join(home, "quadlet"));
        await done("mkdir units");
        expect((await lk("create prod")).status).toBe(0);
        const { output } = await lk("list --json");
        const [{ port }] = JSON.parse(output) as [{ port: number }];
        expect((await lk("export prod --format quadlet >units/lockkeeper-prod.container")).status).toBe(0);
        await done("QUADLET_UNIT_DIRS=$HOME/units ./quadlet -user $HOME/.config/systemd/user");
        const place = ".config/systemd/user";
        await done(
          `sed -i "s,/usr/bin/podman,$HOME/podman,; s,$HOME/podman run,$HOME/podman ${CLI_ENTRY} run," ${place}/lockkeeper-prod.service`,
        );
        await done(`sed /RestartPreventExitStatus/d ${place}/lockkeeper-prod.service >${place}/spoiled.service`);
        await done("systemctl --user daemon-reload && systemctl --user start lockkeeper-prod");
        expect((await lk("wait prod --timeout 110s")).status).toBe(0);
        const keeper = await shown("lockkeeper-prod", "MainPID");
        expect(JSON.parse((await lk("status prod --json")).output)).toMatchObject({ keeperPid: Number(keeper) });
        await done(`kill -9 ${keeper}`);
        await until("systemd has started it again", async () => (await shown("lockkeeper-prod", "NRestarts")) === "1");
        await until("it serves again", async () => (await lk("status prod --quiet")).status === 0);
        await done("systemctl --user stop lockkeeper-prod");
        expect(await shown("lockkeeper-prod", "Result")).toBe("success");
        expect((await lk("status prod --quiet")).status).toBe(3);

        // Another program has its port: one start; without the line there are several.
        const listen = `require("net").createServer().listen(${port}, "127.0.0.1")`;
        await done(`node -e '${listen}' >/dev/null 2>&1 & echo begun`);
        await until("the port is taken", async () => (await sh(`ss -ltn | grep -q :${port}`)).status === 0);
        for (const unit of ["lockkeeper-prod", "spoiled"]) {
          await sh(`systemctl --user start ${unit}`);
          const isOver = async (): Promise<boolean> =>
            unit === "spoiled"
              ? Number(await shown(unit, "NRestarts")) > 0
              : (await shown(unit, "ActiveState")) === "failed";
          await until(`${unit} has ended`, isOver);
          await sh(`systemctl --user stop ${unit}`);
        }
        expect(await shown("lockkeeper-prod", "ExecMainStatus")).toBe("78");
        expect(await shown("lockkeeper-prod", "NRestarts")).toBe("0");
      }),
  );
});

/**
 * Sets the environment of the container's command and becomes that command, as a monitor ends with its container's
 * status.
 */
const PODMAN = `#!/bin/bash
unset SYSTEMD_EXEC_PID
cli=$1; shift
[ "$1" = run ] || exit 0
while [ "\${1#localhost/lockkeeper:}" = "$1" ]; do
  [ "$1" = --env ] && export "$2"
  shift
done
shift
systemd-notify --ready
unset NOTIFY_SOCKET
exec node "$cli" "$@"
`;
