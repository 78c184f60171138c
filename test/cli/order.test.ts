/** Profiles that come after others: what starts with them, what holds them back, and what a stop leaves running. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";

interface Outcome {
  readonly name: string;
  readonly outcome: string;
}

async function outcomes(scratch: ScratchHome, ...args: readonly string[]): Promise<readonly string[]> {
  return ((await scratch.json(args)) as Outcome[]).map(({ name, outcome }) => `${name} ${outcome}`);
}

/** When the profile last entered that state, by its history. */
async function momentOf({ home }: ScratchHome, name: string, state: string): Promise<number> {
  const history = await readFile(path.join(home, "profiles", name, "logs/events.jsonl"), "utf8");
  const events = history
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly at: string; readonly state: string });
  return Date.parse(events.findLast((event) => event.state === state)?.at ?? "");
}

test("a start first brings up what the profile comes after; a stop ends only the named profiles, followers first", async () => {
  await withScratchHome(async (scratch) => {
    const { run, mustRun, json } = scratch;
    await mustRun(["create", "db"]);
    await mustRun(["create", "api", "--after", "db"]);
    await mustRun(["create", "web", "--after", "api", "--group", "site"]);

    expect(await outcomes(scratch, "start", "web")).toEqual(["db started", "api started", "web started"]);
    expect(await momentOf(scratch, "api", "starting")).toBeGreaterThanOrEqual(await momentOf(scratch, "db", "running"));
    expect(await momentOf(scratch, "web", "starting")).toBeGreaterThanOrEqual(
      await momentOf(scratch, "api", "running"),
    );

    const stopped = await run(["stop", "db"]);
    expect(stopped.status).toBe(0);
    expect(stopped.stderr).toContain("api and web go on");
    const listed = (await json(["up", "@site"])) as { readonly name: string; readonly state: string }[];
    expect(listed.map(({ name, state }) => `${name} ${state}`)).toEqual(["api running", "db running", "web running"]);

    // No restart cascades: one profile has a new process, the others keep theirs.
    const before = (await json(["list"])) as { readonly name: string; readonly pid: number }[];
    await mustRun(["restart", "db"]);
    const after = (await json(["list"])) as { readonly name: string; readonly pid: number }[];
    const changed = after.filter(({ name, pid }) => before.find((each) => each.name === name)?.pid !== pid);
    expect(changed.map(({ name }) => name)).toEqual(["db"]);

    expect(await outcomes(scratch, "stop", "db", "web", "api")).toEqual(["web stopped", "api stopped", "db stopped"]);
    expect(await momentOf(scratch, "db", "stopping")).toBeGreaterThanOrEqual(await momentOf(scratch, "api", "stopped"));
  });
});

test("a failure holds back all profiles that come after it, with the reason; the others are started", async () => {
  await withScratchHome(async ({ run, mustRun }) => {
    await mustRun(["create", "db", "--", "false"]);
    await mustRun(["create", "api", "--after", "db"]);
    await mustRun(["create", "web", "--after", "api"]);
    await mustRun(["create", "free"]);
    const started = await run(["start", "web", "free"]);
    expect(started.status).toBe(1);
    expect(started.stderr).toMatch(/api was held back, because it comes after db: db failed/);
    expect(started.stderr).toMatch(/web was held back, because it comes after api: /);
    expect(started.stdout).toContain("free: started");
    for (const name of ["api", "web"]) expect((await run(["status", name])).status).toBe(3);
  });
});

test("a profile that comes after an unknown one is held back, and the unknown one is not created", async () => {
  await withScratchHome(async ({ run, mustRun, json }) => {
    expect((await run(["create", "web", "--after", "bd"])).status).toBe(0);
    await mustRun(["create", "db"]);
    const up = await run(["up", "web"]);
    expect(up.stderr).toMatch(/no profile named bd.*/);
    expect(up.stderr).toContain("Did you mean db?");
    expect(up.stderr).toContain("web was held back");
    expect((await json(["list"])) as unknown[]).toHaveLength(2);
  });
});

test("a circle is refused by its names, however it would arise", async () => {
  await withScratchHome(async ({ run, mustRun, json }) => {
    await mustRun(["create", "a", "--after", "c"]);
    await mustRun(["create", "b", "--after", "a"]);
    const refused = {
      status: 2,
      stderr: expect.stringMatching(/comes after .*: a circle, nothing was changed/) as string,
    };
    expect(await run(["create", "c", "--after", "b"])).toMatchObject(refused);
    await mustRun(["create", "d", "--after", "b"]);
    expect(await run(["rename", "d", "c"])).toMatchObject(refused);
    expect(await run(["clone", "d", "c"])).toMatchObject(refused);
    expect(await run(["edit", "a", "--after", "d"])).toMatchObject(refused);
    expect(((await json(["list"])) as Outcome[]).map(({ name }) => name)).toEqual(["a", "b", "d"]);
  });
});
