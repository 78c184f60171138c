/** Switching is for people: elsewhere a "use" re-pointed the services, 97 restarts in 15 minutes (hermes-agent#29092). */
import { openProfiles } from "@lockkeeper/profiles";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { bareEnvironment } from "../harness/cli.ts";
import { withProfiles } from "../supervision/scratch-profiles.ts";

test("a hundred switches signal nobody, restart nothing and touch no unit", async () => {
  await withProfiles(async ({ profiles, create, folder, home }) => {
    await create({ name: "dev" });
    await create({ name: "prod" });
    const unit = path.join(folder, ".config/systemd/user/lockkeeper-dev.service");
    mkdirSync(path.dirname(unit), { recursive: true });
    writeFileSync(unit, "[Service]\nExecStart=/usr/bin/lockkeeper run dev --supervised\n");
    const { status: before } = await profiles.start("dev");
    const { mtimeMs, ino } = statSync(unit);
    for (let turn = 0; turn < 50; turn += 1) {
      await profiles.use("prod");
      await profiles.use("-").catch(() => profiles.use("dev"));
    }
    const { pid, keeperPid, startedAt, restarts } = await profiles.status("dev");
    expect({ pid, keeperPid, startedAt, restarts }).toEqual({
      pid: before.pid,
      keeperPid: before.keeperPid,
      startedAt: before.startedAt,
      restarts: 0,
    });
    expect(statSync(unit)).toMatchObject({ mtimeMs, ino });
    // And whoever selects by environment is not moved by the default at all.
    const shell = await openProfiles({ home, env: { ...bareEnvironment(home), LOCKKEEPER_PROFILE: "prod" } });
    expect(await shell.selection()).toMatchObject({ name: "prod", source: "environment" });
  });
});
