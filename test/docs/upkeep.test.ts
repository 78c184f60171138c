/**
 * docs/upkeep.md carried out: a backup that can be inspected and acts on nothing, remove and restore, and uninstalling.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const page = readFileSync(new URL("../../docs/upkeep.md", import.meta.url), "utf8");

/** The lines of the blocks under a heading that can run here: no package manager, no service manager. */
function linesUnder(title: string): readonly string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(title)) ?? "";
  return [...section.matchAll(/^```\n([^]*?)^```/gm)]
    .flatMap(([, block = ""]) => block.trim().split("\n"))
    .filter((line) => !/^npm |service uninstall/.test(line));
}

test("backup, inspection, remove, restore and uninstall work as the page describes", async () => {
  await withScratchHome(async ({ home, folder, run, json }) => {
    const bin = path.join(folder, "bin");
    mkdirSync(bin);
    writeFileSync(path.join(bin, "lockkeeper"), `#!/bin/sh\nexec ${process.execPath} ${CLI_ENTRY} "$@"\n`);
    chmodSync(path.join(bin, "lockkeeper"), 0o755);
    const { LOCKKEEPER_HOME: _, ...env } = bareEnvironment(home);
    const sh = (line: string): string => {
      const { status, stdout, stderr } = spawnSync("sh", ["-c", line], {
        cwd: folder,
        env: { ...env, PATH: `${bin}:${path.dirname(process.execPath)}:${env["PATH"] ?? ""}` },
        encoding: "utf8",
        timeout: 240_000,
      });
      expect({ line, status, stderr: status === 0 ? "" : stderr }).toEqual({ line, status: 0, stderr: "" });
      return stdout;
    };
    await json(["up", "dev"]);
    const backup = linesUnder("Backup");
    expect(backup).toEqual(["lockkeeper stop --all", "cp -a ~/.lockkeeper ~/lockkeeper-backup"]);
    for (const line of backup) sh(line);
    await json(["start", "dev"]);
    const [, look = ""] = /`(LOCKKEEPER_HOME=~\/lockkeeper-backup lockkeeper list)`/.exec(page) ?? [];
    expect(sh(look)).toMatch(/dev +stopped/);
    // The copy's profile and the original are two: the copy does not touch the running one.
    sh("LOCKKEEPER_HOME=~/lockkeeper-backup lockkeeper stop dev");
    expect(await json(["list"])).toMatchObject([{ name: "dev", state: "running" }]);

    await json(["stop", "dev"]);
    expect((await run(["remove", "dev", "--yes"])).status).toBe(0);
    expect(await json(["list"])).toEqual([]);
    expect((await run(["restore", "dev"])).status).toBe(0);
    expect(await json(["list"])).toMatchObject([{ name: "dev" }]);

    for (const line of linesUnder("Uninstall")) sh(line);
    rmSync(home, { recursive: true });
    rmSync(path.join(folder, "lockkeeper-backup"), { recursive: true });
    expect(readdirSync(folder)).toEqual(["bin"]);
  });
});
