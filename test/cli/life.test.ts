import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { holdPort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

interface Row {
  readonly name: string;
  readonly current: boolean;
  readonly state: string;
  readonly port: number;
  readonly pid: number | null;
  readonly keeperPid: number | null;
  readonly startedAt: string | null;
}

describe("a profile's life by commands", () => {
  test("up, list, status, restart, down", async () => {
    await withScratchHome(async ({ run, json }) => {
      const up = (await json(["up", "dev", "prod"])) as Row[];
      expect(up.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(["dev running", "prod running"]);
      expect(new Set(up.map(({ port }) => port)).size).toBe(2);

      const again = (await json(["up", "dev", "prod"])) as Row[];
      expect(again.map(({ pid }) => pid)).toEqual(up.map(({ pid }) => pid));

      const table = await run(["list"]);
      expect(table.stdout).toMatch(/^CURRENT +NAME +STATE +KIND +PORTS +PID +UPTIME +RESTARTS +HEALTH +URL\n/);
      expect(table.stdout).toMatch(/ dev +running +builtin +\d+-\d+ +\d+ +\d+[sm] +0 +ok +ws:\/\/127\.0\.0\.1:\d+\n/);
      expect((await run(["list", "--quiet"])).stdout).toBe("dev\nprod\n");

      expect(await json(["status", "dev"])).toMatchObject({ name: "dev", state: "running", lock: { verdict: "held" } });
      const [restarted] = (await json(["restart", "dev"])) as { outcome: string; status: Row }[];
      expect(restarted).toMatchObject({ outcome: "restarted", status: { state: "running" } });
      expect(restarted?.status.pid).not.toBe(up.find(({ name }) => name === "dev")?.pid);

      const down = await run(["down"]);
      expect(down.status).toBe(0);
      expect((await run(["status", "dev"])).status).toBe(3);
      expect(await json(["stop", "dev"])).toMatchObject([{ outcome: "already-stopped" }]);
    });
  });

  test("start of a running profile changes nothing; several names fail one by one", async () => {
    await withScratchHome(async ({ run, json }) => {
      await json(["create", "dev"]);
      const [first] = (await json(["start", "dev"])) as { outcome: string; status: Row }[];
      expect(first?.outcome).toBe("started");
      const [second] = (await json(["start", "dev"])) as { outcome: string; status: Row }[];
      expect(second).toMatchObject({ outcome: "already-running", status: { pid: first?.status.pid } });

      const mixed = await run(["start", "dev", "nope", "--json"]);
      expect(mixed.status).toBe(4);
      expect(JSON.parse(mixed.stdout)).toMatchObject([
        { name: "dev", outcome: "already-running", error: null },
        { name: "nope", outcome: "failed", status: null, error: { code: "PROFILE_NOT_FOUND" } },
      ]);
      expect(JSON.parse(mixed.stderr)).toMatchObject({ error: { code: "PROFILE_NOT_FOUND" } });
    });
  });

  test("a stranger on the port: 78, the exact message, the holder's pid", async () => {
    await withScratchHome(async ({ run, json }) => {
      const { port } = (await json(["create", "dev"])) as Row;
      const stranger = await holdPort(port);
      try {
        const { status, stderr } = await run(["start", "dev"]);
        expect(status).toBe(78);
        expect(stderr).toContain(`another gateway instance is already listening on ws://127.0.0.1:${port}`);
        expect(stderr).toContain(`pid ${process.pid} `);
        expect(stderr).toMatch(/^hint: /m);
        expect((await run(["status", "dev"])).status).toBe(3);
      } finally {
        await stranger.release();
      }
      expect((await run(["start", "dev"])).status).toBe(0);
    });
  });

  test("a command keeps every word after -- unchanged", async () => {
    await withScratchHome(async ({ run, home }) => {
      const argv = ["node", "server.js", "--port", "{port}", "--json", "-q", "--", "--help", "", "a b"];
      expect((await run(["create", "api", "--cwd", ".", "--", ...argv])).status).toBe(0);
      const registry = await readFile(path.join(home, "registry.json"), "utf8");
      expect(registry).toContain(JSON.stringify(argv));
    });
  });
});

describe("protection", () => {
  test("stop, restart, down and remove leave a protected profile alone until its name is given twice", async () => {
    await withScratchHome(async ({ run, json }) => {
      await json(["create", "prod", "--protected"]);
      await json(["up", "dev", "prod"]);
      for (const verb of ["stop", "restart", "down", "remove"]) {
        const yes = verb === "remove" ? ["--yes"] : [];
        const { status, stderr } = await run([verb, "prod", ...yes], { input: "prod\n" });
        expect(status, verb).toBe(2);
        expect(stderr).toContain("--confirm prod");
      }
      for (const args of [["stop", "--all"], ["down"]]) {
        const { status, stderr } = await run(args);
        expect(status).toBe(0);
        expect(stderr).toContain("prod is protected and was left alone");
      }
      const rows = (await json(["list"])) as Row[];
      expect(rows.map(({ name, state }) => `${name} ${state}`)).toEqual(["dev stopped", "prod running"]);
      expect((await run(["stop", "prod", "--confirm", "prod"])).status).toBe(0);
    });
  });

  test("remove asks, and is refused when nobody can answer", async () => {
    await withScratchHome(async ({ run, json, home }) => {
      await json(["create", "dev"]);
      expect((await run(["remove", "dev"], { input: "y\n" })).status).toBe(2);
      expect(existsSync(path.join(home, "profiles/dev"))).toBe(true);
      const { trash } = (await json(["remove", "dev", "--yes"])) as { trash: string };
      expect(existsSync(trash)).toBe(true);
      expect((await run(["status", "dev"])).status).toBe(4);
    });
  });
});

describe("which profile", () => {
  test("argument, then LOCKKEEPER_PROFILE, then the default; use - goes back", async () => {
    await withScratchHome(async ({ run, json }) => {
      for (const name of ["a", "b", "c"]) await json(["create", name]);
      expect(await json(["use", "a"])).toMatchObject({ previous: null, current: "a" });
      expect(await json(["use", "b"])).toMatchObject({ previous: "a", current: "b" });
      expect(await json(["use", "-"])).toMatchObject({ previous: "b", current: "a" });
      const env = { LOCKKEEPER_PROFILE: "b" };
      expect((await run(["current"])).stdout).toBe("a\n");
      expect((await run(["current"], { env })).stdout).toBe("b\n");
      expect((await run(["current", "--profile", "c"], { env })).stdout).toBe("c\n");
      expect((await run(["status", "--quiet"], { env })).stdout).toBe("stopped\n");
      expect(JSON.parse((await run(["status", "--profile", "c", "--json"], { env })).stdout)).toMatchObject({
        name: "c",
      });
      expect((await run(["status", "a", "--profile", "c"])).status).toBe(2);
      const rows = (await json(["list"])) as Row[];
      expect(rows.filter(({ current }) => current).map(({ name }) => name)).toEqual(["a"]);
    });
  });
});
