/**
 * A secret in the starter's environment, the env file, an OpenClaw config or the token is in no argument, no environment
 * of ours, no record, log, registry, error, report or JSON: only where its owner put it, and in the gateway.
 */
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../harness/ports.ts";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";
import { NO_TMUX, openTerminal } from "../harness/tmux.ts";
import { until } from "../harness/until.ts";

const INHERITED = "canary-inherited-7c1e";
const PASSED = "canary-passed-52fa";
const IN_FILE = "canary-in-file-90bd";
const IN_CONFIG = "canary-in-config-3d44";

/** Everything below `folder` that can be read, by path. */
function filesBelow(folder: string): readonly (readonly [file: string, text: string])[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => [file, textOf(file)] as const);
}

/** A keeper may put another file in its place, or remove it, meanwhile. */
function textOf(file: string): string {
  try {
    return fs.readFileSync(file, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return "";
  }
}

function processFile(pid: number, name: string): string {
  return fs.readFileSync(`/proc/${pid}/${name}`, "latin1");
}

test.skipIf(process.platform !== "linux")(
  "security 2, 10, 15: a secret stays where its owner put it (needs /proc)",
  async () => {
    await withScratchHome(async ({ home, folder, run, json }) => {
      const envFile = path.join(folder, "env");
      fs.writeFileSync(envFile, `FILE_SECRET=${IN_FILE}\n`, { mode: 0o600 });
      const theirs = path.join(folder, ".openclaw");
      fs.mkdirSync(theirs, { mode: 0o700 });
      fs.writeFileSync(
        path.join(theirs, "openclaw.json"),
        JSON.stringify({ gateway: { port: await freePort(), auth: { token: IN_CONFIG } } }),
        { mode: 0o600 },
      );
      const created = await json(["create", "a", "--env-file", envFile, "--env", "PASSED_SECRET"]);
      const port = String((created as { readonly port: number }).port);
      const env = { AWS_SECRET_ACCESS_KEY: INHERITED, PASSED_SECRET: PASSED };
      const said: string[] = [];
      const say = async (...args: string[]): Promise<void> => {
        for (const more of [[], ["--json"]]) {
          const { stdout, stderr } = await run([...args, ...more], { env });
          said.push(stdout, stderr);
        }
      };
      await say("start", "a");
      const [{ pid, keeperPid }] = (await json(["list"])) as [{ readonly pid: number; readonly keeperPid: number }];
      const token = fs.readFileSync(path.join(home, "profiles/a/token"), "utf8").trim();
      expect(processFile(pid, "environ")).toContain(IN_FILE);
      expect(processFile(pid, "environ")).toContain(PASSED);

      await say("list");
      await say("status", "a");
      await say("why", "a");
      await say("logs", "a");
      await say("ports");
      await say("doctor");
      await say("discover");
      await say("env", "a");
      for (const format of ["compose", "kubernetes", "quadlet", "json"]) await say("export", "a", "--format", format);
      await say("service", "print", "a");
      await say("ports", "--explain", port);
      await say("url", "a");
      await say("current");
      await say("trash", "list");
      await say("config", "get");
      await say("config", "get", "--profile", "a");
      await say("edit", "a", "--dry-run", "--stop-timeout", "9s");
      // Failing requests, with a token and without.
      const shown = await fetch(`http://127.0.0.1:${port}/status`, { headers: { authorization: `Bearer ${token}x` } });
      said.push(await shown.text(), JSON.stringify([...shown.headers]));
      // A damaged env file is named by its place; its content is not shown.
      fs.writeFileSync(envFile, `FILE_SECRET=${IN_FILE}\n${IN_FILE}\n`, { mode: 0o600 });
      await say("restart", "a");
      await say("logs", "a");

      const secrets = { inherited: INHERITED, passed: PASSED, inFile: IN_FILE, inConfig: IN_CONFIG, token };
      const own = new Set([path.join(home, "profiles/a/token")]);
      const places: (readonly [string, string])[] = [
        ["what was said", said.join("\n")],
        ["the keeper's arguments", processFile(keeperPid, "cmdline")],
        ["the gateway's arguments", processFile(pid, "cmdline")],
        ...filesBelow(home).filter(([file]) => !own.has(file)),
      ];
      const found = places.flatMap(([place, text]) =>
        Object.entries(secrets).flatMap(([name, secret]) => (text.includes(secret) ? [`${name} in ${place}`] : [])),
      );
      expect(found).toEqual([]);
      const keeper = processFile(keeperPid, "environ");
      for (const secret of [INHERITED, IN_FILE, IN_CONFIG, token]) expect(keeper).not.toContain(secret);
    });
  },
);

test.skipIf(process.platform !== "linux")(
  "security 2, 15: nothing of the secrets that a gateway prints before it dies is kept of the crash",
  async () => {
    await withScratchHome(async ({ home, folder, run, mustRun, json }) => {
      const envFile = path.join(folder, "env");
      fs.writeFileSync(envFile, `FILE_SECRET=${IN_FILE}\nHOOK=http://127.0.0.1:9/${IN_CONFIG}\n`, { mode: 0o600 });
      // It prints everything it knows, and dies, once its keeper calls it running.
      const program = path.join(folder, "gateway.mjs");
      fs.writeFileSync(
        program,
        `import { createServer } from "node:http";
       import { readFileSync } from "node:fs";
       const say = () => {
         for (const [name, value] of Object.entries(process.env)) console.log(name, "is", value);
         console.log("token", readFileSync(process.env.LOCKKEEPER_TOKEN_FILE, "utf8"));
         process.exit(3);
       };
       const record = process.env.LOCKKEEPER_HOME + "/run/a.json";
       const isRunning = () => JSON.parse(readFileSync(record, "utf8")).state === "running";
       setInterval(() => isRunning() && say(), 20);
       createServer((_, response) => response.end("{}")).listen(process.env.PORT, "127.0.0.1");`,
      );
      const command = ["--", process.execPath, program];
      const options = [
        "--health",
        "/",
        "--env-file",
        envFile,
        "--env",
        "PASSED_SECRET",
        "--env",
        `API_TOKEN=${INHERITED}`,
      ];
      const env = { PASSED_SECRET: PASSED };
      await mustRun(["create", "a", "--hook", "failed=env:HOOK", ...options, ...command], { env });
      const token = "canary-token-in-its-file";
      fs.writeFileSync(path.join(home, "profiles/a/token"), `${token}\n`, { mode: 0o600 });
      await mustRun(["start", "a"], { env });
      await until("it was given up", async () => ((await json(["list"])) as [{ state: string }])[0].state === "failed");
      await until("the hook was tried", async () =>
        (await run(["why", "a"])).stdout.includes("hook failed could not tell"),
      );
      const said: string[] = [fs.readFileSync(path.join(home, "profiles/a/logs/events.jsonl"), "utf8")];
      for (const args of [
        ["why", "a"],
        ["why", "a", "--json"],
        ["status", "a"],
        ["status", "a", "--json"],
        ["list", "--json"],
      ]) {
        said.push((await run(args)).stdout);
      }
      said.push(fs.readFileSync(path.join(home, "run/a.json"), "utf8"));
      expect(said[1]).toContain("| token ***");
      // The control: it did print it.
      expect(fs.readFileSync(path.join(home, "profiles/a/logs/gateway.log"), "utf8")).toContain(token);
      for (const secret of [IN_FILE, IN_CONFIG, PASSED, INHERITED, token])
        expect(said.join("\n")).not.toContain(secret);
    });
  },
);

const TALKER = `
  import { createServer } from "node:http";
  import { readFileSync } from "node:fs";
  const say = () => {
    console.log("all that I know:", process.env.FILE_SECRET, process.env.PASSED_SECRET, process.env.API_TOKEN);
    console.log("token", readFileSync(process.env.LOCKKEEPER_TOKEN_FILE, "utf8").trim());
  };
  say();
  if (process.env.DIES !== undefined) process.exit(3);
  createServer((_, response) => response.end("{}")).listen(process.env.PORT, "127.0.0.1");
`;

/**
 * Makes `a`, whose gateway prints everything it knows at its start, and returns the environment and the secrets of a
 * start.
 */
async function withTalker(
  { folder, home, run }: ScratchHome,
  dies: boolean,
): Promise<{ readonly env: Record<string, string>; readonly secrets: readonly string[] }> {
  const envFile = path.join(folder, "env");
  fs.writeFileSync(envFile, `FILE_SECRET=${IN_FILE}\n${dies ? "DIES=yes\n" : ""}`, { mode: 0o600 });
  const program = path.join(folder, "talker.mjs");
  fs.writeFileSync(program, TALKER);
  const options = ["--env-file", envFile, "--env", "PASSED_SECRET", "--env", `API_TOKEN=${INHERITED}`];
  const env = { PASSED_SECRET: PASSED };
  const command = ["--", process.execPath, program];
  expect((await run(["create", "a", ...options, ...command], { env })).status).toBe(0);
  const token = "canary-token-in-its-file";
  fs.writeFileSync(path.join(home, "profiles/a/token"), `${token}\n`, { mode: 0o600 });
  return { env, secrets: [IN_FILE, PASSED, INHERITED, token] };
}

test("security 2, 15: a failing start shows the gateway's last lines without their secrets", async () => {
  await withScratchHome(async (scratch) => {
    const { run, home } = scratch;
    const { env, secrets } = await withTalker(scratch, true);
    const { status, stderr } = await run(["start", "a"], { env });
    expect(status).toBe(1);
    for (const shown of [stderr, (await run(["why", "a"], { env })).stdout]) {
      expect(shown).toContain("token ***");
      for (const secret of secrets) expect(shown).not.toContain(secret);
    }
    // An older keeper's history holds no output: then the log is read.
    const history = path.join(home, "profiles/a/logs/events.jsonl");
    const withoutOutput = fs
      .readFileSync(history, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.stringify({ ...(JSON.parse(line) as object), output: undefined }));
    fs.writeFileSync(history, `${withoutOutput.join("\n")}\n`);
    const { stdout } = await run(["why", "a"], { env });
    expect(stdout).toContain("token ***");
    for (const secret of secrets) expect(stdout).not.toContain(secret);
    // The control, and the one place that shows the output unchanged.
    expect((await run(["logs", "a"], { env })).stdout).toContain(IN_FILE);
  });
});

test.skipIf(NO_TMUX !== undefined)(
  `security 2, 15: the live view's table shows the last line of each gateway without secrets (${NO_TMUX ?? "in tmux"})`,
  async () => {
    await withScratchHome(async (scratch) => {
      const { run, home, folder } = scratch;
      const { env } = await withTalker(scratch, false);
      expect((await run(["start", "a"], { env })).status).toBe(0);
      const terminal = openTerminal("canary", 200, 20, { ...bareEnvironment(home), ...env, PS1: "$ " });
      try {
        terminal.press(`cd ${folder} && ${process.execPath} ${CLI_ENTRY} top`, "Enter");
        await terminal.shows(/token \*\*\*/);
        expect(terminal.screen()).not.toContain("canary-token-in-its-file");
      } finally {
        terminal.press("q");
        terminal.close();
      }
    });
  },
);
