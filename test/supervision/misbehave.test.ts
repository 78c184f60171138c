import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../harness/cli.ts";
import { until } from "../harness/until.ts";
import { fixture, gatewaysOf, killAndWait, ownersOf, withProfiles } from "./scratch-profiles.ts";

describe.concurrent("a gateway that misbehaves", () => {
  test("by listening elsewhere is ended, with both addresses named (nexu#700)", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "api", span: 1, argv: fixture("elsewhere", "{port}") });
      await expect(profiles.start("api")).rejects.toMatchObject({
        code: "LISTENER_MISMATCH",
        message: expect.stringMatching(
          new RegExp(`listening on 127\\.0\\.0\\.1:\\d+, expected 127\\.0\\.0\\.1:${port}`),
        ),
      });
      expect((await profiles.status("api")).state).toBe("failed");
      await until("its keeper has ended too", () => gatewaysOf(home, "").length === 0);
    }));

  test("by going into the background is kept anyway, and stopped as a whole", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "api", span: 1, argv: fixture("daemon", "{port}") });
      await profiles.start("api");
      // It may serve a moment before its parent has gone.
      await until("the one in the background is kept", async () => {
        const { state, pid } = await profiles.status("api");
        return state === "running" && pid !== null && ownersOf(port).has(pid);
      });
      expect(ownersOf(port).size).toBe(1);
      expect((await profiles.stop("api")).outcome).toBe("stopped");
      expect(gatewaysOf(home, "")).toEqual([]);
    }));

  test("by flooding its log fills no disk, and is stopped as usual", () =>
    withProfiles(async ({ profiles, create }) => {
      const { paths } = await create({ name: "api", span: 1, argv: fixture("flood", "{port}") });
      await profiles.start("api");
      await until("the log was rotated", async () => (await readdir(paths.logs)).includes("gateway.log.1"));
      await profiles.stop("api");
      let bytes = 0;
      for (const file of await readdir(paths.logs)) bytes += (await stat(path.join(paths.logs, file))).size;
      // Rotation copies at intervals, so a flood overshoots; the kept part is still limited.
      expect(bytes).toBeLessThan(1024 * 1024 * 1024);
    }));

  test("by closing its lock still excludes a second one, even as an orphan", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("close-lock", "{port}") });
      const { status } = await profiles.start("api");
      await killAndWait(status.keeperPid);
      expect(await profiles.start("api")).toMatchObject({ outcome: "orphaned", status: { pid: status.pid } });
      const run = await runCli(home, ["run", "api"]);
      expect(run.status, run.stderr).not.toBe(0);
      expect(gatewaysOf(home, "close-lock.js")).toEqual([status.pid]);
      expect(await profiles.restart("api")).toMatchObject({ status: { state: "running" } });
      expect(gatewaysOf(home, "close-lock.js")).toHaveLength(1);
    }));

  test("by crashing while it stops is stopped anyway, and not started again", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("die-stopping", "{port}") });
      await profiles.start("api");
      expect((await profiles.stop("api")).outcome).toBe("stopped");
      expect(await profiles.status("api")).toMatchObject({ state: "stopped", lastExit: { signal: "SIGKILL" } });
      expect(gatewaysOf(home, "")).toEqual([]);
    }));
});
