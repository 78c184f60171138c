/** The projects of docs/sets.md, word for word: planned, applied, started, changed, and never more than requested. */
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import type { CliOptions, CliRun } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../docs/sets.md"), "utf8");
const [shop = "", stages = "", checkout = ""] = [...page.matchAll(/```jsonc\n(.*?)```/gs)].map(
  (match) => match[1] ?? "",
);

/** Stand-ins for `npm` and `postgres`: they listen on the given port; a worker does not. */
const PROGRAM = `#!/usr/bin/env node
const [word, ...rest] = process.argv.slice(2);
const port = word === "-D" ? rest[2] : process.env.PORT;
if (rest[0] === "worker") setInterval(() => {}, 1000);
else require("node:http").createServer((_, answer) => answer.end("ok")).listen(Number(port), "127.0.0.1");
`;

interface Project {
  readonly folder: string;
  readonly lk: (...args: readonly string[]) => Promise<CliRun>;
  readonly states: () => Promise<Readonly<Record<string, string>>>;
  readonly pids: () => Promise<Readonly<Record<string, number>>>;
}

async function project({ folder: around, run, json }: ScratchHome, name: string, text: string): Promise<Project> {
  const folder = path.join(around, name);
  const bin = path.join(around, "bin");
  await mkdir(path.join(folder, "app"), { recursive: true });
  await mkdir(bin, { recursive: true });
  for (const stub of ["npm", "postgres"]) {
    await writeFile(path.join(bin, stub), PROGRAM);
    await chmod(path.join(bin, stub), 0o755);
  }
  await writeFile(path.join(folder, "lockkeeper.json"), text);
  const options: CliOptions = {
    cwd: folder,
    env: { PATH: `${bin}:${path.dirname(process.execPath)}:${process.env["PATH"] ?? ""}` },
  };
  const listed = async (): Promise<readonly { name: string; state: string; pid: number }[]> =>
    (await json(["list"])) as { name: string; state: string; pid: number }[];
  return {
    folder,
    lk: (...args) => run(args, options),
    states: async () => Object.fromEntries((await listed()).map(({ name: each, state }) => [each, state])),
    pids: async () => Object.fromEntries((await listed()).map(({ name: each, pid }) => [each, pid])),
  };
}

test("each of them has about fifteen lines", () => {
  for (const text of [shop, stages, checkout]) expect(text.split("\n").length).toBeLessThanOrEqual(22);
});

test("web, database, worker: applied with consent, started in order, changed with a restart of each changed one", async () => {
  await withScratchHome(async (scratch) => {
    const { lk, folder, states, pids } = await project(scratch, "shop", shop);
    expect((await lk("plan")).status).toBe(1);
    expect(await lk("apply")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("nothing was done") as string,
    });
    expect((await lk("up", "-f", "lockkeeper.json")).status).toBe(2);
    expect(await states()).toEqual({});
    expect((await lk("apply", "--yes")).status).toBe(0);
    expect((await lk("plan")).status).toBe(0);
    expect(await states()).toEqual({ db: "stopped", web: "stopped", worker: "stopped" });
    expect((await lk("up", "-f", "lockkeeper.json")).status).toBe(0);
    const before = await pids();

    await writeFile(path.join(folder, "lockkeeper.json"), shop.replace("/shop", "/shop2").replace("30s", "20s"));
    const plan = await lk("plan", "--json");
    expect(plan.status).toBe(1);
    expect(plan.stdout).not.toContain("/shop2");
    const { changes } = JSON.parse(plan.stdout) as { changes: { profile: string; action: string }[] };
    expect(changes.map(({ profile, action }) => `${action} ${profile}`)).toEqual(["edit web", "restart web"]);
    expect((await lk("apply", "--yes")).status).toBe(0);
    const after = await pids();
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(["web"]);

    // A stopped profile stays stopped; a restart that an interrupted apply still owes is made by the next one.
    await lk("stop", "worker");
    await lk("edit", "worker", "--stop-timeout", "7s");
    await lk("edit", "web", "--unset", "memory-restart");
    expect((await lk("apply", "--yes")).status).toBe(0);
    expect(await states()).toEqual({ db: "running", web: "running", worker: "stopped" });
    expect((await lk("plan")).status).toBe(0);
  });
});

test("a program that is missing for the next start: nothing is changed, and running gateways continue", async () => {
  await withScratchHome(async (scratch) => {
    const { lk, folder, pids } = await project(scratch, "shop", shop);
    await lk("apply", "--yes");
    await lk("up", "-f", "lockkeeper.json");
    const before = await pids();
    await writeFile(path.join(folder, "lockkeeper.json"), shop.replace('["npm", "start"]', '["npn", "start"]'));
    const refused = await lk("apply", "--yes");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("npn");
    expect(await pids()).toEqual(before);
    expect((await lk("status", "web", "--json")).stdout).not.toContain("npn");
  });
});

test("development and production of one app run at once; the protected one is left as it is, and named", async () => {
  await withScratchHome(async (scratch) => {
    const { lk, folder, states } = await project(scratch, "stages", stages);
    await writeFile(path.join(folder, "prod.env"), "API_TOKEN=s3cret\n", { mode: 0o600 });
    expect((await lk("apply", "--yes")).status).toBe(0);
    expect((await lk("up", "-f", "lockkeeper.json")).status).toBe(0);
    expect(await states()).toEqual({ dev: "running", prod: "running" });
    await writeFile(path.join(folder, "lockkeeper.json"), stages.replaceAll('"scheme"', '"end": "all", "scheme"'));
    const applied = await lk("apply", "--yes");
    expect(applied.status).toBe(0);
    expect(applied.stderr).toContain("prod: it is protected and left as it is");
    expect(applied.stdout).toContain("dev: restarted");
    expect(applied.stdout).not.toContain("prod:");
    const exported = await lk("export", "@app", "--format", "json");
    await writeFile(path.join(folder, "lockkeeper.json"), exported.stdout);
    expect((await lk("plan")).status).toBe(0);
    expect(exported.stdout).not.toContain("s3cret");
  });
});

test("two checkouts of one project work beside each other with a prefix; without it the second is refused by the first's name", async () => {
  await withScratchHome(async (scratch) => {
    const one = await project(scratch, "one", checkout);
    const two = await project(scratch, "two", checkout);
    expect((await one.lk("apply", "--yes")).status).toBe(0);
    expect(await two.lk("apply", "--yes")).toMatchObject({
      status: 78,
      stderr: expect.stringContaining("api belongs to another file") as string,
    });
    expect((await two.lk("apply", "--yes", "--prefix", "b-")).status).toBe(0);
    expect((await two.lk("up", "-f", "lockkeeper.json", "--prefix", "b-")).status).toBe(0);
    expect(await one.states()).toEqual({ api: "stopped", "b-api": "running", "b-site": "running", site: "stopped" });
    expect((await two.lk("plan", "--prefix", "b-")).status).toBe(0);
    expect((await one.lk("plan")).status).toBe(0);
  });
});

test("errors in a file and their exit statuses", async () => {
  await withScratchHome(async (scratch) => {
    const { lk, folder } = await project(scratch, "bad", '{"profiles": {"web": {"comand": ["x"]}}}');
    const file = path.join(folder, "lockkeeper.json");
    const unknown = await lk("plan");
    expect(unknown.status).toBe(65);
    expect(unknown.stderr).toContain(`${file}:1:23: unknown key "comand"`);
    expect(unknown.stderr).toContain("Did you mean command?");
    expect((await lk("plan", "-f", "nowhere.json")).status).toBe(2);
    expect((await lk("apply", "-f", "a.json", "-f", "b.json")).status).toBe(2);
    expect((await lk("up", "web", "-f", "lockkeeper.json")).status).toBe(2);
    // No other command even looks at it.
    for (const args of [["list"], ["up"], ["doctor"], ["status"], ["start", "--all"]]) {
      expect((await lk(...args)).stderr).not.toContain("lockkeeper.json");
    }
    expect(existsSync(path.join(scratch.home, "registry.json"))).toBe(false);
  });
});
