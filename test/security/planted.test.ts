/**
 * SECURITY 8: something else is in the place of one of our files. No command waits for it, follows it, reads it to its
 * end or changes its target, and each names the path.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

const CONTENT = "somebody else's";
/** Larger than any file of ours, and none of it on the disk. */
const SPARSE_BYTES = 10 * 1024 ** 3;

const PLANTS: Readonly<Record<string, (place: string, victim: string) => void>> = {
  "a FIFO": (place) => void spawnSync("mkfifo", ["-m", "600", place]),
  "a link": (place, victim) => fs.symlinkSync(victim, place),
  "a link that leads nowhere": (place, victim) => fs.symlinkSync(`${victim}.not`, place),
  "a link to itself": (place) => fs.symlinkSync(place, place),
  "a hard link": (place, victim) => fs.linkSync(victim, place),
  "a folder": (place) => fs.mkdirSync(place, { mode: 0o700 }),
  "ten sparse gigabytes": (place) => {
    fs.closeSync(fs.openSync(place, "w", 0o600));
    fs.truncateSync(place, SPARSE_BYTES);
  },
};

/** Places and the commands that read or write there, with the correct exit statuses. */
const PLACES = [
  ["registry.json", ["list"], [65, 74, 77]],
  ["registry.json", ["use", "a"], [65, 74, 77]],
  ["registry.lock", ["use", "b"], [0, 74, 77]],
  ["config.json", ["use", "a"], [65, 74, 77]],
  ["run/a.json", ["stop", "a"], [0, 74, 77]],
  ["profiles/a/token", ["start", "a"], [2, 74, 77]],
  ["profiles/a/logs/gateway.log", ["logs", "a"], [0, 74, 77]],
  ["profiles/a/logs/gateway.log", ["status", "a"], [3]],
  ["profiles/a/logs/events.jsonl", ["why", "a"], [0, 74, 77]],
] as const;

test.each(Object.entries(PLANTS))("security 8: %s in the place of our files is refused at once", async (_, plant) => {
  await withScratchHome(async ({ folder, home, run, json }) => {
    await json(["create", "a"]);
    await json(["create", "b"]);
    const victim = path.join(folder, "victim");
    for (const [name, args, statuses] of PLACES) {
      fs.rmSync(victim, { force: true });
      fs.writeFileSync(victim, CONTENT, { mode: 0o600 });
      const place = path.join(home, name);
      const kept = `${place}.kept`;
      if (fs.existsSync(place)) fs.renameSync(place, kept);
      plant(place, victim);
      const planted = fs.lstatSync(place).mode;
      // A run that waits is killed at the deadline, and then has no status.
      const { status, stderr } = await run(args);
      expect({ name, args, status, stderr }).toEqual({
        name,
        args,
        status: expect.toSatisfy((code: unknown) => statuses.some((each) => each === code)) as number,
        stderr: expect.not.stringMatching(/This is a bug|\n {4}at /) as string,
      });
      if (status !== 0 && status !== 3)
        expect({ name, args, stderr }).toMatchObject({ stderr: expect.stringContaining(place) as string });
      expect(fs.readFileSync(victim, "utf8")).toBe(CONTENT);
      expect(fs.existsSync(`${victim}.not`)).toBe(false);
      if (fs.lstatSync(place, { throwIfNoEntry: false })?.mode === planted)
        fs.rmSync(place, { recursive: true, force: true });
      if (fs.existsSync(kept)) fs.renameSync(kept, place);
    }
  });
});

/** What a command says of an unsafe lock file; after a wait for the lock it would say LOCK_HELD. */
function refusal(place: string): object {
  return { status: 77, stderr: expect.stringMatching(new RegExp(`"UNSAFE_PATH".*${place}`)) as string };
}

/** One of each: the tests of the lock know them all. A regular file of ours would be a leftover, and is swept. */
const NO_LOCKS = Object.entries(PLANTS).filter(([what]) =>
  ["a FIFO", "a link that leads nowhere", "a folder"].includes(what),
);

test.each(NO_LOCKS)(
  "security 8: %s with the name of a lock file is refused at once, until its hint is followed",
  (_, plant) =>
    withScratchHome(async ({ folder, home, run, mustRun, json }) => {
      const victim = path.join(folder, "victim");
      fs.writeFileSync(victim, CONTENT, { mode: 0o600 });
      for (const name of ["a", "b"]) await mustRun(["create", name]);
      await mustRun(["start", "b"]);
      const { pid } = (await json(["status", "b"])) as { pid: number };
      const [a, b] = ["a", "b"].map((name) => path.join(home, `profiles/${name}/lock/gateway.0123abcd.lock`)) as [
        string,
        string,
      ];
      for (const place of [a, b]) plant(place, victim);
      for (const args of [["start"], ["restart"], ["clone", "c"], ["rename", "c"], ["remove", "--yes"]]) {
        const [verb = "", ...rest] = args;
        expect({ verb, ...(await run([verb, "a", ...rest, "--json"])) }).toMatchObject(refusal(a));
      }
      expect(await run(["restart", "b", "--json"])).toMatchObject(refusal(b));
      expect(await json(["status", "b"])).toMatchObject({ state: "running", pid, lock: { verdict: "held" } });
      // Nobody may own a stopped profile because of it, and no reader touches it.
      expect(await run(["status", "a", "--json"])).toMatchObject({ status: 3, stderr: "" });
      expect(await json(["list"])).toMatchObject([{ state: "stopped" }, { state: "running" }]);
      const { findings } = JSON.parse((await run(["doctor", "--json"])).stdout) as {
        findings: readonly { code: string }[];
      };
      expect(findings.map(({ code }) => code).filter((code) => /^(?:lock|leftover|next-start)/.test(code))).toEqual([
        "next-start-lock",
        "next-start-lock",
      ]);
      await mustRun(["stop", "a"]);
      await mustRun(["stop", "b"]);
      expect(fs.readdirSync(path.dirname(b))).toEqual([path.basename(b)]);
      for (const name of ["a", "b"]) {
        const { error } = JSON.parse((await run(["start", name, "--json"])).stderr) as { error: { hint: string } };
        const [command = ""] = /mv .*/.exec(error.hint) ?? [];
        expect(spawnSync("sh", ["-c", command])).toMatchObject({ status: 0 });
        await mustRun(["start", name]);
      }
      expect(fs.readFileSync(victim, "utf8")).toBe(CONTENT);
    }),
);
