import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { freePort, holdPort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

interface Report {
  readonly pool: { readonly first: number; readonly last: number };
  readonly blocks: readonly { readonly profile: string; readonly port: number }[];
  readonly conflicts: readonly { readonly kind: string; readonly profiles: readonly string[] }[];
  readonly nextFree: number;
}

const canMount = spawnSync("unshare", ["--mount", "sh", "-c", "mount --bind /mnt /mnt"]).status === 0;
if (!canMount) process.stdout.write("skipped: this machine lets us mount nothing (unshare --mount)\n");

describe("ports", () => {
  test("a table, a picture, the next block; --json is the documented shape", async () => {
    await withScratchHome(async ({ run, json }) => {
      const { port } = (await json(["create", "dev"])) as { port: number };
      await json(["create", "claw", "--kind", "openclaw"]);
      const { stdout } = await run(["ports"]);
      expect(stdout).toMatch(/^BLOCK +PROFILE +STATE +PORTS +LISTENING\n/);
      expect(stdout).toMatch(/ {2}\d{5} {2}.*\|---------/);
      const [, picture = ""] = stdout.split("\n\n");
      expect(Math.max(...picture.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
      const report = (await json(["ports"])) as Report;
      expect(Object.keys(report)).toEqual(
        expect.arrayContaining(["pool", "ephemeral", "blocks", "conflicts", "nextFree"]),
      );
      expect(stdout).toContain(`pool: ${report.pool.first}-${report.pool.last}\nnext free block: ${report.nextFree}\n`);
      const told = [...stdout.matchAll(/ to (\d+) \(\d+ ports?\)/g)].map(([, end]) => Number(end));
      expect(Math.max(...told)).toBeLessThanOrEqual(report.pool.last);

      const one = (await json(["ports", "dev"])) as Report;
      expect(one.blocks).toMatchObject([{ profile: "dev", port }]);
      const alone = (await run(["ports", "dev"])).stdout;
      expect(alone).toContain(`  ${port}  |---------\n`);
      expect(alone).not.toContain("claw");
      expect((await run(["ports", "dve"])).status).toBe(4);
    });
  });

  test("the block of a stopped profile in the usual home is not given out in another home", async () => {
    await withScratchHome(async ({ run, json, folder, home }) => {
      const { port } = (await json(["create", "dev"])) as { port: number };
      const elsewhere = path.join(folder, "other");
      mkdirSync(elsewhere, { mode: 0o700 });
      copyFileSync(path.join(home, "config.json"), path.join(elsewhere, "config.json"));
      const env = { LOCKKEEPER_HOME: elsewhere };
      const created = await run(["create", "b", "--json"], { env });
      expect((JSON.parse(created.stdout) as { port: number }).port).toBeGreaterThan(port);
      const refused = await run(["create", "c", "--port", String(port)], { env });
      expect(refused.status).toBe(78);
      expect(refused.stderr).toContain(`profile dev in ${home}`);
    });
  });

  test("another home that is not known: who clashes with it is told the profile and the home that have the port", async () => {
    await withScratchHome(async ({ run, mustRun, folder, home }) => {
      const port = String(await freePort());
      const elsewhere = path.join(folder, "other");
      const env = { LOCKKEEPER_HOME: elsewhere };
      await mustRun(["create", "far", "--port", port, "--span", "1"], { env });
      await mustRun(["create", "near", "--port", port, "--span", "1"]);
      await mustRun(["start", "near"]);
      const refused = await run(["start", "far"], { env });
      expect(refused.status).toBe(78);
      const owner = `the gateway of profile near of ${home}: pid `;
      expect(refused.stderr).toContain(`127.0.0.1:${port} is held by ${owner}`);
      expect((await run(["why", "far"], { env })).stdout).toContain(owner);
      expect((await run(["ports"], { env })).stdout).toContain(`conflict: listener on port ${port}: far and ${owner}`);
      expect((await run(["ports", "--explain", port], { env })).stdout).toContain(`by ${owner}`);
    });
  });

  test.runIf(canMount)("a second path to the usual home is no other home: its own blocks are no rivals", async () => {
    await withScratchHome(async ({ json, folder }) => {
      const { port } = (await json(["create", "dev"])) as { port: number };
      mkdirSync(path.join(folder, "second"));
      const script = 'mount --bind "$HOME/.lockkeeper" "$HOME/second" && exec "$@"';
      const edit = [process.execPath, CLI_ENTRY, "edit", "dev", "--port", String(port + 1)];
      const edited = spawnSync("unshare", ["--mount", "sh", "-c", script, "sh", ...edit], {
        env: bareEnvironment(path.join(folder, "second")),
        encoding: "utf8",
      });
      expect(edited).toMatchObject({ status: 0, stderr: "" });
      expect(await json(["list", "--no-probe"])).toMatchObject([{ port: port + 1 }]);
    });
  });

  test("a stranger in a block: a conflict, exit 1 with --check, named by --explain", async () => {
    await withScratchHome(async ({ run, json }) => {
      const { port } = (await json(["create", "dev", "--port", String(await freePort()), "--span", "1"])) as {
        port: number;
      };
      expect(await run(["ports", "--check"])).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(FINE) as string,
      });
      expect((await run(["ports", "--check", "--wide"])).stdout).toContain("next free block");
      const stranger = await holdPort(port);
      try {
        const checked = await run(["ports", "--check"]);
        expect(checked.status).toBe(1);
        expect(checked.stdout).toContain(`conflict: listener on port ${port}: dev and pid ${process.pid} `);
        expect(checked.stdout).toContain("! taken by another process");
        expect((await run(["ports", "dev", "--check"])).status).toBe(1);
        expect((await run(["ports"])).status).toBe(0);
        const explained = await run(["ports", "--explain", String(port)]);
        expect(explained.stdout).toContain(`in the block ${port}-${port} of dev (gateway), since 20`);
        expect(explained.stdout).toContain(`by pid ${process.pid} (`);
        expect(await json(["ports", "--explain", String(port)])).toMatchObject({
          port,
          profiles: [{ profile: "dev", since: expect.stringMatching(/^\d{4}-/) as string }],
          listeners: [{ address: "127.0.0.1", pid: process.pid }],
          bind: "taken",
        });
      } finally {
        await stranger.release();
      }
    });
  });

  test("a derived range is explained by its name", async () => {
    await withScratchHome(async ({ run, json }) => {
      const { port } = (await json(["create", "claw", "--kind", "openclaw"])) as { port: number };
      const { stdout } = await run(["ports", "--explain", String(port + 20)]);
      expect(stdout).toContain(`in the block ${port}-${port + 119} of claw (cdp), since `);
      expect(stdout).toContain("nobody listens on it\n");
    });
  });

  test("--next answers for a length; an exhausted pool exits with 1", async () => {
    await withScratchHome(async ({ run, json }) => {
      const { nextFree } = (await json(["ports", "--next", "--span", "40"])) as Report;
      expect(await json(["create", "wide", "--span", "40"])).toMatchObject({ port: nextFree });
      expect((await run(["ports", "--next"])).stdout).toMatch(/^\d+\n$/);
      expect((await run(["ports", "--next", "--span", "60000"])).status).toBe(1);
      expect((await run(["ports", "--span", "10"])).status).toBe(2);
      expect((await run(["ports", "dev", "--next"])).status).toBe(2);
      expect((await run(["ports", "--explain", "70000"])).status).toBe(2);
    });
  });
});

/** All that a check says which has found nothing. */
const FINE = /^\d+ ports? of \d+ profiles?: no conflicts\n$/;

test("a run on another port belongs to the profile, and is not a stranger's listener", async () => {
  await withScratchHome(async ({ run, json }) => {
    await json(["create", "dev"]);
    const port = await freePort();
    const started = await run(["start", "dev", "--port", String(port)]);
    expect(started.status, started.stderr).toBe(0);
    const { stdout, status } = await run(["ports", "--check", "--wide"]);
    expect(status).toBe(0);
    expect(stdout).toContain(`this run ${port}-`);
    expect(stdout).toContain(`127.0.0.1:${port}`);
    expect(stdout).not.toContain("stranger");
  });
});
