/**
 * Hooks through the command line: tried by hand, called by a real keeper, never delaying a stop, never showing a secret.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

const SECRET = "canary-hook-4d1f";

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

interface Shown {
  readonly state: string;
  readonly keeperPid: number;
}

test("a receiver that never answers delays nothing, and its address is shown nowhere", () =>
  withScratchHome(async ({ home, folder, run, json }) => {
    const bodies: string[] = [];
    const silent = createServer((request) => request.on("data", (part: Buffer) => bodies.push(part.toString())));
    const port = await listen(silent);
    const address = `http://user:${SECRET}@127.0.0.1:${port}/${SECRET}`;
    const envFile = path.join(folder, "env");
    writeFileSync(envFile, `ALARM=${address}\n`, { mode: 0o600 });
    const notes = path.join(folder, "notes");
    const program = path.join(folder, "hook");
    writeFileSync(program, `#!/bin/sh\ncat >>${notes}\nenv >>${notes}\n`, { mode: 0o700 });
    const said: string[] = [];
    const say = async (...args: string[]): Promise<number | null> => {
      const { status, stdout, stderr } = await run(args);
      said.push(stdout, stderr);
      return status;
    };
    try {
      const hooks = [`--hook=ready=${program}`, `--hook=stopped=${address}`, "--hook=failed=env:ALARM"];
      const token = `--env=API_TOKEN=${SECRET}`;
      await say("create", "dev", "--env-file", envFile, token, ...hooks);
      expect(await say("start", "dev")).toBe(0);
      await until("the program was called", () => existsSync(notes) && readFileSync(notes, "utf8").includes("PROFILE"));
      await until("and is in the history", async () => (await run(["why", "dev"])).stdout.includes("hook ready told"));
      expect(readFileSync(notes, "utf8")).toContain('"event":"ready"');
      expect(readFileSync(notes, "utf8")).not.toContain(SECRET);
      const { keeperPid } = (await json(["status", "dev"])) as Shown;
      expect(await say("stop", "dev")).toBe(0);
      // It still waits for the receiver, and the profile is free. Paused, it outlives what follows.
      await until("the receiver was asked", () => bodies.join("").includes('"event":"stopped"'));
      process.kill(keeperPid, "SIGSTOP");
      expect(await say("start", "dev")).toBe(0);
      await say("status", "dev", "--json");
      await say("list", "--json");
      await say("why", "dev", "--json");
      await say("edit", "dev", "--hook", `blocked=${address}x`, "--json");
      await say("edit", "dev", "--hook", `blocked=${address}y`);
      await say("edit", "dev", "--hook", `blocked=http://${SECRET}@ x/`);
      await say("edit", "dev", "--hook", `https://${SECRET}@x`);
      await say("edit", "dev", "--hook", `https://x/${SECRET}?a=b`);
      await say("doctor");
      process.kill(keeperPid, "SIGKILL");
      for (const file of ["profiles/dev/logs/events.jsonl", "run/dev.json", "profiles/dev/logs/gateway.log"]) {
        said.push(readFileSync(path.join(home, file), "utf8"));
      }
      expect(said.join("\n")).toContain(`http://127.0.0.1:${port}`);
      expect(said.join("\n")).not.toContain(SECRET);
    } finally {
      silent.close();
      silent.closeAllConnections();
    }
  }));

test("hooks test calls each hook once, shows its answer, and fails when one was not delivered", () =>
  withScratchHome(async ({ run, json }) => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.on("data", (part: Buffer) => bodies.push(part.toString()));
      request.on("end", () => response.writeHead(request.url === "/well" ? 200 : 404).end());
    });
    const port = await listen(server);
    try {
      await json(["create", "dev", `--hook=failed=http://127.0.0.1:${port}/well`]);
      const tried = (await json(["hooks", "test", "dev"])) as { readonly hooks: readonly unknown[] };
      const target = `http://127.0.0.1:${port}`;
      expect(tried.hooks).toMatchObject([
        { event: "failed", target, outcome: "told", detail: "status 200", attempts: 1 },
      ]);
      expect(bodies.map((body) => JSON.parse(body) as unknown)).toMatchObject([
        { event: "failed", profile: "dev", test: true },
      ]);
      await json(["edit", "dev", `--hook=ready=http://127.0.0.1:${port}/${SECRET}`, "--hook=blocked=env:NONE"]);
      const { status, stdout, stderr } = await run(["hooks", "test", "dev"]);
      expect(status).toBe(1);
      expect(stdout).toContain("status 404");
      expect(stdout).toContain("the profile has no env file");
      expect(stdout + stderr).not.toContain(SECRET);
      // A clone reports nothing to the original's address.
      await json(["clone", "dev", "copy"]);
      expect(JSON.parse((await run(["status", "copy", "--json"])).stdout)).toMatchObject({ hooks: {} });
      await json(["create", "bare"]);
      expect((await run(["hooks", "test", "bare"])).status).toBe(2);
      expect((await run(["hooks", "test", "nobody", "--json"])).status).toBe(4);
    } finally {
      server.close();
    }
  }));
