import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { SAME_REQUEST_MS } from "@lockkeeper/core/internal";
import { describe, expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

function startCli(home: string, args: readonly string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [CLI_ENTRY, ...args], {
    env: bareEnvironment(home),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)));
  return { child, output: () => output };
}

describe("run", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "serves until %s, then exits with 0 and leaves nothing behind",
    async (signal) => {
      await withScratchHome(async ({ home, run, json }) => {
        await json(["create", "dev"]);
        const { child, output } = startCli(home, ["run", "dev"]);
        const ended = once(child, "exit");
        await until("the gateway runs", () => output().includes("running"));
        expect(await json(["status", "dev"])).toMatchObject({ state: "running", keeperPid: child.pid });
        child.kill(signal);
        expect(await ended).toEqual([0, null]);
        expect((await run(["status", "dev"])).status).toBe(3);
      });
    },
  );

  test("a second one is refused with the command that ends the first, and not with the pid of a gateway that comes back", async () => {
    await withScratchHome(async ({ json, run }) => {
      await json(["create", "dev"]);
      await json(["start", "dev"]);
      const second = await run(["run", "dev"]);
      expect(second).toMatchObject({ status: 78, stdout: "" });
      expect(second.stderr).toMatch(/^error: gateway already running \(pid \d+\); lock timeout after \d+ms$/m);
      expect(second.stderr).toMatch(/stop it first: lockkeeper stop dev$/m);
      expect(second.stderr).not.toContain("stop pid");
      expect(await json(["stop", "dev"])).toMatchObject([{ outcome: "stopped" }]);
    });
  });

  test("a second signal forces a gateway that ignores the first", async () => {
    await withScratchHome(async ({ home, run }) => {
      const stubborn = path.join(import.meta.dirname, "fixtures/ignores-sigterm.js");
      expect((await run(["create", "dev", "--health", "tcp", "--", process.execPath, stubborn, "{port}"])).status).toBe(
        0,
      );
      const { child, output } = startCli(home, ["run", "dev"]);
      const ended = once(child, "exit");
      await until("the gateway runs", () => output().includes("running"));
      child.kill("SIGTERM");
      await until("it is stopping", () => output().includes("stopping"));
      // An earlier one would be the same request.
      const askedAt = performance.now();
      await until("half a second has passed", () => performance.now() - askedAt > SAME_REQUEST_MS);
      child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
      expect((await run(["status", "dev"])).status).toBe(3);
    });
  });
});

describe("run and the gateway's output", () => {
  const create = [
    "create",
    "dev",
    "--",
    process.execPath,
    path.join(import.meta.dirname, "fixtures/prints.js"),
    "{port}",
  ];

  test("passes it on byte for byte, last words included; two signals at once count as one", async () => {
    await withScratchHome(async ({ home, run }) => {
      expect((await run(create)).status).toBe(0);
      const { child, output } = startCli(home, ["run", "dev"]);
      let passed = "";
      child.stdout?.on("data", (text) => (passed += String(text)));
      const ended = once(child, "close");
      await until("it prints", () => passed.includes("on stderr\n"));
      expect(passed).toContain("\u001b[31mred\u001b[0m ready\n");
      await until("the gateway runs", () => output().includes("running"));
      // Both are there when it goes on: between two signals the sender may stand still.
      for (const signal of ["SIGSTOP", "SIGTERM", "SIGINT", "SIGCONT"] as const) child.kill(signal);
      expect(await ended).toEqual([0, null]);
      expect(passed).toMatch(/\nbye\nunfinished\n--- lockkeeper \S+ end: exited with code 0 ---\n$/);
    });
  });

  test("--no-output drops it, and --supervised exits with 143 only after a stranger's SIGTERM", async () => {
    await withScratchHome(async ({ home, run }) => {
      expect((await run(create)).status).toBe(0);
      for (const [signal, status] of [
        ["SIGTERM", 143],
        ["SIGINT", 0],
        // A person's stop is the end for a service manager too.
        ["stop", 0],
      ] as const) {
        const { child, output } = startCli(home, ["run", "dev", "--supervised", "--no-output"]);
        const ended = once(child, "close");
        await until("the gateway runs", () => output().includes("running"));
        if (signal === "stop") expect((await run(["stop", "dev"])).status).toBe(0);
        else child.kill(signal);
        expect(await ended).toEqual([status, null]);
        expect(output()).not.toContain("ready");
      }
      expect((await run(["logs", "dev"])).stdout).toMatch(/^red ready$/m);
    });
  });

  test("a reader that does not read, or disappears, delays neither keeper nor gateway", async () => {
    await withScratchHome(async ({ home, run, json }) => {
      const floods = path.join(import.meta.dirname, "fixtures/floods.js");
      expect((await run(["create", "dev", "--", process.execPath, floods, "{port}"])).status).toBe(0);
      for (const reader of ["deaf", "gone"]) {
        const child = spawn(process.execPath, [CLI_ENTRY, "run", "dev"], {
          env: bareEnvironment(home),
          stdio: ["ignore", "pipe", "ignore"],
        });
        const ended = once(child, "exit");
        if (reader === "deaf") child.stdout.pause();
        else child.stdout.destroy();
        await until("it runs", async () => JSON.stringify(await json(["list"])).includes('"running"'));
        const log = path.join(home, "profiles/dev/logs/gateway.log");
        let [seen, printed] = [statSync(log).size, 0];
        await until("it goes on printing", () => {
          const now = statSync(log).size;
          // It is shorter than before when it was rotated.
          printed += now >= seen ? now - seen : now;
          seen = now;
          return printed > 1_000_000;
        });
        expect(await json(["stop", "dev"])).toMatchObject([{ outcome: "stopped" }]);
        expect(await ended).toEqual([0, null]);
      }
    });
  });

  test("no stray signal ends or debugs a keeper, in the foreground or not", async () => {
    await withScratchHome(async ({ home, run, json }) => {
      await json(["up", "back"]);
      expect((await run(["create", "dev"])).status).toBe(0);
      const { child, output } = startCli(home, ["run", "dev"]);
      const ended = once(child, "close");
      await until("the gateway runs", () => output().includes("running"));
      const rows = (await json(["list"])) as { keeperPid: number; pid: number }[];
      for (const { keeperPid } of rows)
        for (const signal of ["SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM", "SIGIO", "SIGVTALRM", "SIGXFSZ"] as const)
          process.kill(keeperPid, signal);
      expect(await json(["list"])).toMatchObject(
        rows.map(({ keeperPid, pid }) => ({ keeperPid, pid, state: "running" })),
      );
      expect(output()).not.toContain("Debugger");
      await json(["down"]);
      expect(await ended).toEqual([0, null]);
    });
  });
});

test("an interrupted start says so, in one line for scripts; the gateway continues to start", async () => {
  await withScratchHome(async ({ home, run, mustRun, json }) => {
    const silent = path.join(import.meta.dirname, "fixtures/never-listens.js");
    await mustRun(["create", "slow", "--", process.execPath, silent]);
    const { child, output } = startCli(home, ["start", "slow", "--json"]);
    const ended = once(child, "close");
    await until("it is starting", async () => JSON.stringify(await json(["list"])).includes('"starting"'));
    child.kill("SIGTERM");
    expect(await ended).toEqual([1, null]);
    expect(output()).toContain('{"error":{"code":"ABORTED"');
    expect((await run(["status", "slow"])).status).toBe(5);
  });
});

describe("commands that keep printing", () => {
  test("list --watch --json prints a line for each change and ends with the signal", async () => {
    await withScratchHome(async ({ home, json }) => {
      await json(["create", "dev"]);
      const { child, output } = startCli(home, ["list", "--watch", "--json"]);
      const ended = once(child, "close");
      await until("the first line is there", () => output().includes("\n"));
      await json(["create", "prod"]);
      await until("the news is there", () => output().includes('"prod"'));
      child.kill("SIGINT");
      await ended;
      const documents = output()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown[]);
      expect(documents.map((rows) => rows.length)).toEqual([1, 2]);
    });
  });

  test("logs -f shows new lines, of several profiles with their names", async () => {
    await withScratchHome(async ({ home, run, json }) => {
      await json(["up", "dev", "prod"]);
      const { child, output } = startCli(home, ["logs", "dev", "prod", "-f"]);
      const ended = once(child, "close");
      await until("the old lines are there", () => /prod \| .*listening/.test(output()));
      await json(["restart", "dev"]);
      await until("the new lines are there", () => (output().match(/dev {2}\| .*listening/g) ?? []).length === 2);
      child.kill("SIGTERM");
      await ended;
      expect((await run(["logs", "dev", "-n", "1", "--grep", "listening"])).stdout).toMatch(
        /^[^|]*listening on ws:\/\/127\.0\.0\.1:\d+\n$/,
      );
    });
  });
});

describe("inside a profile", () => {
  test("exec passes on exit status, words and environment of that profile alone", async () => {
    await withScratchHome(async ({ run, json }) => {
      const { port } = (await json(["create", "dev"])) as { port: number };
      const env = { LOCKKEEPER_STATE_DIR: "/elsewhere", OPENCLAW_CONFIG_PATH: "/elsewhere" };
      const script = "console.log(JSON.stringify([process.env, process.argv.slice(1)])); process.exit(7)";
      const { status, stdout } = await run(
        ["exec", "dev", "--", process.execPath, "-e", script, "--", "--json", "a b"],
        {
          env,
        },
      );
      expect(status).toBe(7);
      const [variables, words] = JSON.parse(stdout) as [Record<string, string>, string[]];
      expect(words).toEqual(["--json", "a b"]);
      expect(variables).toMatchObject({ LOCKKEEPER_PROFILE: "dev", LOCKKEEPER_PORT: String(port) });
      expect(variables["LOCKKEEPER_STATE_DIR"]).toContain("/profiles/dev/");
      expect(variables).not.toHaveProperty("OPENCLAW_CONFIG_PATH");
      expect((await run(["exec", "dev", "--", "no-such-program"])).status).toBe(127);
    });
  });

  test("only `token` prints the token", async () => {
    await withScratchHome(async ({ run, json, home }) => {
      await json(["up", "dev"]);
      const token = (await readFile(path.join(home, "profiles/dev/token"), "utf8")).trim();
      expect((await run(["token", "dev"])).stdout).toBe(`${token}\n`);
      const others = [
        "list",
        "status dev",
        "ports",
        "logs dev",
        "why dev",
        "env dev",
        "list --json",
        "status dev --json",
      ];
      for (const line of others) {
        const { stdout, stderr } = await run(line.split(" "));
        expect(stdout + stderr, line).not.toContain(token);
      }
    });
  });
});

test("a failed start shows the last attempt from its first line, and why shows it again, without colours", async () => {
  await withScratchHome(async ({ run }) => {
    const fails = path.join(import.meta.dirname, "fixtures/fails.js");
    expect((await run(["create", "dev", "--", process.execPath, fails, "30", "3"])).status).toBe(0);
    const { status, stderr } = await run(["start", "dev"]);
    expect(status).toBe(1);
    expect(stderr).toContain("  the cause is line 1\n");
    expect(stderr).toContain("  line 30\n");
    expect(stderr.match(/the cause/g)).toHaveLength(1);
    const why = (await run(["why", "dev"])).stdout;
    expect(why).toMatch(/code 3[^\n]*\n {4}\| the cause is line 1\n[^]*\| line 30\n/);
    // One line says once how it ended.
    expect(why).not.toMatch(/code 3.*code 3/);
    expect((await run(["status", "dev"])).stdout).toMatch(/\n {2}printed {4}[^]*\n {13}line 30\n/);
    const { lastOutput } = JSON.parse((await run(["status", "dev", "--json"])).stdout) as { lastOutput: string[] };
    expect(lastOutput).toHaveLength(5);
    expect(lastOutput).toContain("line 30");
    expect((await run(["create", "quiet", "--", process.execPath, fails, "0", "0"])).status).toBe(0);
    expect((await run(["start", "quiet"])).stderr).toMatch(/hint: .*no standard input/);
    expect((await run(["why", "quiet"])).stdout).toContain("no standard input");
  });
});
