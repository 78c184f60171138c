/** `use` is for people: a hundred of them reach no process and change only the file that records the selection. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openProfiles } from "@lockkeeper/profiles";
import { bareEnvironment } from "../harness/cli.ts";
import { freePort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const witness = fileURLToPath(new URL("fixtures/witness.js", import.meta.url));

/** One by command, as people do it; the others through the library, which the command calls. */
const BY_COMMAND = 10;

/** The settings file with the selection, and the mutex of its writers. */
const CHANGED: readonly string[] = ["config.json", "registry.lock"];

/** Content, inode and time of every file below `folder`, except those that a switch changes. */
function filesOf(folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    // A keeper notes the time of output at its next look, independently of other commands.
    if (entry.name === "gateway.log.index") continue;
    if (!entry.isFile() || (path.basename(entry.parentPath) === ".lockkeeper" && CHANGED.includes(entry.name)))
      continue;
    const { ino, mtimeMs } = statSync(file);
    found.set(file, `${ino} ${mtimeMs} ${createHash("sha256").update(readFileSync(file)).digest("hex")}`);
  }
  return found;
}

interface Row {
  readonly name: string;
  readonly state: string;
  readonly pid: number | null;
  readonly keeperPid: number | null;
  readonly startedAt: string | null;
}

test("a hundred switches cause no signal, no restart, and no change except in config.json", async () => {
  await withScratchHome(async ({ run, json, home, folder }) => {
    for (const name of ["dev", "prod"]) {
      const argv = [process.execPath, witness, "{port}", path.join(folder, `told-${name}`)];
      const options = ["--port", String(await freePort()), "--span", "1", "--health", "/"];
      expect((await run(["create", name, ...options, "--", ...argv])).status).toBe(0);
    }
    const unit = path.join(folder, ".config/systemd/user/lockkeeper-dev.service");
    mkdirSync(path.dirname(unit), { recursive: true });
    writeFileSync(unit, "[Service]\nExecStart=/usr/bin/lockkeeper run dev --supervised\n");
    await json(["up"]);
    await json(["use", "prod"]);

    const rows = async (): Promise<readonly unknown[]> =>
      ((await json(["list", "--no-probe"])) as Row[]).map(({ name, state, pid, keeperPid, startedAt }) => ({
        name,
        state,
        pid,
        keeperPid,
        startedAt,
      }));
    const before = { rows: await rows(), files: filesOf(folder) };
    expect(before.rows).toMatchObject([{ state: "running" }, { state: "running" }]);
    for (let turn = 0; turn < BY_COMMAND; turn += 1) {
      const [word, expected] = turn % 2 === 0 ? ["dev", "dev"] : ["-", "prod"];
      expect((await run(["use", word, "--quiet"])).stdout).toBe(`${expected}\n`);
    }
    const profiles = await openProfiles({ home, env: bareEnvironment(home) });
    for (let turn = BY_COMMAND; turn < 100; turn += 1) await profiles.use(turn % 2 === 0 ? "dev" : "-");
    expect({ rows: await rows(), files: filesOf(folder) }).toEqual(before);
    for (const name of ["dev", "prod"])
      expect(readFileSync(path.join(folder, `told-${name}`), "utf8")).not.toContain('signal":');
  });
});
