/** What the library reports of running profiles: changes, output, history. */
import type { ProfilesNews } from "@lockkeeper/profiles";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { mustPid, withProfiles } from "./scratch-profiles.ts";

/** Exits with 3 on request. */
const SERVER = `
console.log("pid " + process.pid);
require("node:http").createServer((q, r) => (q.url === "/crash" ? process.exit(3) : r.end("hello"))).listen(process.env.PORT, process.env.HOST);`;

const ARGV = [process.execPath, "-e", SERVER];

/** The state of the one profile, in a round that reports it. */
function state(news: ProfilesNews): string | undefined {
  return news.changes.at(0)?.after?.state;
}

/** Reads on until `is` holds for a round; fails at the stream's end. */
async function roundWhere(
  rounds: AsyncIterator<ProfilesNews>,
  is: (news: ProfilesNews) => boolean,
): Promise<ProfilesNews> {
  for (;;) {
    const { value, done } = await rounds.next();
    if (done === true) throw new Error("the watch has ended");
    if (is(value)) return value;
  }
}

describe("watch", () => {
  test("reports the present state, a start, a crash, an edit, a removal and a damaged registry, and ends with its signal", async () => {
    await withProfiles(async ({ profiles, home, create }) => {
      await create({ name: "api", argv: ARGV });
      const end = new AbortController();
      const rounds = profiles.watch({ intervalMs: 50, signal: end.signal })[Symbol.asyncIterator]();

      const first = await roundWhere(rounds, () => true);
      expect(first.changes).toMatchObject([{ name: "api", before: null, after: { state: "stopped" } }]);
      await profiles.start("api");
      await roundWhere(rounds, (news) => state(news) === "running");
      const { url } = await profiles.find("api");
      await fetch(`${url}/crash`).catch(() => undefined);
      const again = await roundWhere(rounds, (news) => state(news) === "running" && news.statuses[0]?.restarts === 1);
      expect(again.statuses[0]?.lastExit).toMatchObject({ code: 3 });
      await profiles.edit("api", { groups: ["web"] });
      const edited = await roundWhere(rounds, ({ changes }) => changes.at(0)?.after?.groups.length === 1);
      expect(edited.changes).toMatchObject([{ before: { groups: [] }, after: { groups: ["web"] } }]);
      await profiles.stop("api");
      await roundWhere(rounds, (news) => state(news) === "stopped");

      const registry = path.join(home, "registry.json");
      const text = await readFile(registry, "utf8");
      await writeFile(registry, text.slice(0, -20));
      const damaged = await roundWhere(rounds, ({ fault }) => fault !== null);
      expect(damaged.fault).toMatchObject({ code: "REGISTRY_DAMAGED" });
      expect(damaged.statuses).toMatchObject([{ name: "api" }]);
      await writeFile(registry, text);
      await roundWhere(rounds, ({ fault }) => fault === null);

      await profiles.remove("api");
      const removed = await roundWhere(rounds, ({ changes }) => changes.at(0)?.after === null);
      expect(removed.changes).toMatchObject([{ name: "api", after: null }]);
      end.abort();
      expect(await rounds.next()).toEqual({ value: undefined, done: true });
    });
  });

  test("a gateway whose keeper was killed is noticed although no file changes", async () => {
    await withProfiles(async ({ profiles, create }) => {
      await create({ name: "api", argv: ARGV });
      const { status } = await profiles.start("api");
      const rounds = profiles.watch({ intervalMs: 50 })[Symbol.asyncIterator]();
      await rounds.next();
      process.kill(mustPid(status.keeperPid), "SIGKILL");
      const news = await roundWhere(rounds, (round) => state(round) !== "running");
      expect(news.changes).toMatchObject([{ name: "api", after: { state: "orphaned" } }]);
      await rounds.return?.();
    });
  });
});

test("log, followLog and history: old output, new output, and why it ended", async () => {
  await withProfiles(async ({ profiles, create }) => {
    await create({ name: "api", argv: ARGV });
    expect(await profiles.history("api")).toEqual([]);
    expect((await profiles.log("api")).lines).toEqual([]);
    const { status } = await profiles.start("api");
    const { lines, end } = await profiles.log("api", { matches: (text) => text.startsWith("pid ") });
    expect(lines.map(({ text }) => text)).toEqual([`pid ${status.pid}`]);

    const seen: string[] = [];
    const follow = (async () => {
      for await (const line of profiles.followLog("api", { from: end })) {
        seen.push(line);
        if (line.startsWith("pid ")) break;
      }
    })();
    await fetch(`${status.url}/crash`).catch(() => undefined);
    await follow;
    expect(seen.at(-1)).not.toBe(`pid ${status.pid}`);
    const ended = (await profiles.history("api")).find(({ exit }) => exit !== null);
    expect(ended).toMatchObject({ exit: { code: 3, signal: null } });
    for (const look of [
      profiles.log("nobody"),
      profiles.history("nobody"),
      profiles.followLog("nobody")[Symbol.asyncIterator]().next(),
    ])
      await expect(look).rejects.toMatchObject({ code: "PROFILE_NOT_FOUND" });
  });
});

test("an unknown option is refused, and the nearest is named", async () => {
  await withProfiles(async ({ profiles }) => {
    // As a caller without a compiler would write it.
    const loose = profiles as unknown as Record<string, (...given: readonly unknown[]) => Promise<unknown>>;
    const wrong: readonly (readonly [string, ...unknown[]])[] = [
      ["create", { name: "a", protectd: true }],
      ["edit", "a", { cwdd: "/" }],
      ["list", { prob: false }],
      ["start", "a", { timeout: 3 }],
      ["wait", ["a"], { timeotMs: 1 }],
      ["clone", "a", "b", { includ: [] }],
      ["log", "a", { line: 3 }],
      ["readConfig", { profil: "a" }],
      ["discover", { root: "/" }],
    ];
    for (const [verb, ...given] of wrong)
      await expect(loose[verb]?.(...given)).rejects.toThrow(/^\w+: unknown option "\w+"; (?:did you mean|known are) /);
    const watch = loose["watch"] as unknown as (options: unknown) => AsyncIterable<unknown>;
    await expect(watch({ interval: 1 })[Symbol.asyncIterator]().next()).rejects.toThrow(
      'watch: unknown option "interval"',
    );
    expect(await profiles.list()).toEqual([]);
  });
});
