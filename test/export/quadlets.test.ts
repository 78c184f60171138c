/** The quadlet that `export` prints, given to podman's own generator and to systemd; a spoiled twin must be refused. */
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";
import { exported, program } from "./exported.ts";

const QUADLET = program(
  "podman's quadlet (LOCKKEEPER_TEST_QUADLET names it)",
  process.env["LOCKKEEPER_TEST_QUADLET"],
  "/usr/libexec/podman/quadlet",
  "/usr/lib/podman/quadlet",
);
const ANALYZE = program("systemd-analyze", undefined, "/usr/bin/systemd-analyze");

describe.skipIf(QUADLET === undefined)("quadlet", () => {
  test("podman's generator makes a service of it that systemd takes; a typo is refused", () =>
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
      // Both signs reach systemd doubled, which is how it keeps them.
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
});
