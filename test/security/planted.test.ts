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
