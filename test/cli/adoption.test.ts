/**
 * A user with OpenClaw gateways: `discover` shows them, `import` adopts them, `takeover` brings them under a keeper.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { freePort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import { configure, installOpenClaw, startByHand } from "../life/openclaw-user.ts";
import { isAlive, ownersOf } from "../supervision/scratch-profiles.ts";

interface Found {
  readonly gateways: readonly {
    readonly name: string;
    readonly port: number | null;
    readonly managers: readonly unknown[];
  }[];
  readonly adopt: readonly string[];
}

/** Returns every file below a folder with its content. */
function treeOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => `${file} ${entryHash(file)}`);
}

function entryHash(file: string): string {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch {
    return "folder";
  }
}

describe("discover", () => {
  test("an untouched machine: it says where it looked and writes nothing, not even a home", async () => {
    await withScratchHome(async ({ run, json, home, folder }) => {
      rmSync(home, { recursive: true });
      const { status, stdout, stderr } = await run(["discover"]);
      expect(status).toBe(0);
      // Others may run gateways on this machine; this user has none.
      if (stdout === "") expect(stderr).toContain(path.join(folder, ".openclaw"));
      expect(((await json(["discover"])) as Found).adopt).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
      expect(existsSync(home)).toBe(false);
    });
  });

  test("gateways on disk: overlaps, units without their secrets, and the commands that adopt", async () => {
    await withScratchHome(async ({ run, json, home, folder }) => {
      rmSync(home, { recursive: true });
      const port = await freePort();
      configure(folder, port);
      const work = path.join(folder, ".openclaw-work");
      mkdirSync(work);
      writeFileSync(path.join(work, "openclaw.json"), JSON.stringify({ gateway: { mode: "local", port: port + 2 } }));
      const units = path.join(folder, ".config/systemd/user");
      mkdirSync(units, { recursive: true });
      writeFileSync(
        path.join(units, "openclaw-gateway.service"),
        "[Service]\nExecStart=/usr/bin/openclaw gateway run\nEnvironment=TELEGRAM_BOT_TOKEN=123:hush\n",
      );
      const before = treeOf(folder);
      const { status, stdout } = await run(["discover"]);
      expect(status).toBe(0);
      expect(stdout).toMatch(
        new RegExp(`^default +openclaw +${port} +config +no listener .*openclaw-gateway.service$`, "m"),
      );
      expect(stdout.match(/^overlap: default and work: ports /gm)).toHaveLength(1);
      expect(stdout).toMatch(
        /to adopt:\n {2}lockkeeper import openclaw default\n {2}lockkeeper import openclaw work\n$/,
      );
      const text = (await run(["discover", "--json"])).stdout;
      expect(text).toContain("openclaw-gateway.service");
      expect(text).not.toContain("hush");
      expect(treeOf(folder)).toEqual(before);
      expect(existsSync(home)).toBe(false);
      expect(((await json(["discover"])) as Found).gateways.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["default", "work"]),
      );
    });
  });
});

describe("import", () => {
  test("all: adopts what it can, names the rest with the reason, and changes nothing of the originals", async () => {
    await withScratchHome(async ({ run, json, folder }) => {
      const port = await freePort();
      const stateDir = configure(folder, port);
      mkdirSync(path.join(folder, ".openclaw-broken"));
      writeFileSync(path.join(folder, ".openclaw-broken/openclaw.json"), "{ not json");
      const before = treeOf(stateDir);
      const all = await run(["import", "openclaw", "--all"]);
      expect(all.stdout).toContain(`default imported as openclaw: port ${port} (from the config), stopped\n`);
      expect(all.stderr).toContain("error: the config of OpenClaw's broken cannot be used: ");
      expect(all.status).toBe(65);
      expect(await json(["list"])).toMatchObject([{ name: "openclaw", kind: "openclaw", port }]);
      expect((await run(["import", "openclaw"])).stdout).toBe("default is here already: openclaw\n");
      expect((await run(["import", "openclaw", "wrok"])).status).toBe(4);
      expect((await run(["import", "openclaw", "default", "--all"])).status).toBe(2);
      expect((await run(["import", "docker"])).status).toBe(2);
      expect(treeOf(stateDir)).toEqual(before);
    });
  });
});

describe("takeover", () => {
  test("shows both managers, does nothing without consent, and then brings the gateway under a keeper", async () => {
    await withScratchHome(async ({ run, mustRun, json, folder }) => {
      const port = await freePort();
      configure(folder, port);
      const searchPath = installOpenClaw(folder, "works");
      const old = await startByHand(folder, searchPath, port);
      try {
        const imported = await run(["import", "openclaw", "--protected"]);
        expect(imported.stdout).toContain(`external, pid ${old}\n`);
        expect(imported.stderr).toContain("lockkeeper takeover openclaw");

        const confirmed = ["takeover", "openclaw", "--confirm", "openclaw"];
        expect((await run(["takeover", "openclaw", "--yes"])).status).toBe(2);
        expect(isAlive(old)).toBe(true);
        const taken = await run(confirmed, { env: { PATH: searchPath } });
        expect(taken.status, taken.stderr).toBe(0);
        expect(taken.stderr).toContain(`pid ${old}) runs the gateway on port ${port}\n`);
        expect(taken.stderr).toContain("then: one of our keepers runs it as openclaw\n");
        expect(taken.stdout).toMatch(
          new RegExp(`^openclaw: taken over, ws://127\\.0\\.0\\.1:${port}, pid \\d+, keeper pid \\d+\n$`),
        );
        await until("the old one is gone", () => !isAlive(old));
        expect(await json(["status", "openclaw"])).toMatchObject({ state: "running" });
        expect((await run(confirmed)).stdout).toContain("openclaw: is already managed by Lockkeeper");
      } finally {
        await mustRun(["stop", "openclaw", "--confirm", "openclaw"]);
        for (const owner of ownersOf(port)) process.kill(owner, "SIGTERM");
        await until("nobody listens any more", () => ownersOf(port).size === 0);
      }
    });
  });

  test("without a terminal it shows what would happen and stops there", async () => {
    await withScratchHome(async ({ run, mustRun, folder }) => {
      const port = await freePort();
      configure(folder, port);
      const searchPath = installOpenClaw(folder, "works");
      const old = await startByHand(folder, searchPath, port);
      try {
        await mustRun(["import", "openclaw"]);
        // What would refuse our gateway is reported while the old one still serves.
        const unfit = await run(["takeover", "openclaw", "--yes"]);
        expect(unfit.status).toBe(1);
        expect(unfit.stderr).toContain("command not found: openclaw (PATH searched: ");
        const { status, stderr } = await run(["takeover", "openclaw"], { input: "y\n", env: { PATH: searchPath } });
        expect(status, stderr).toBe(2);
        expect(stderr).toContain(`SIGTERM to pid ${old}`);
        expect(stderr).toContain("lockkeeper takeover openclaw --yes");
        expect(isAlive(old)).toBe(true);
        expect((await run(["remove", "openclaw", "--yes"])).status).toBe(0);
      } finally {
        for (const owner of ownersOf(port)) process.kill(owner, "SIGTERM");
        await until("nobody listens any more", () => ownersOf(port).size === 0);
      }
    });
  });
});
