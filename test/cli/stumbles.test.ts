/**
 * Problems of a newcomer in three tasks: dev and prod of one app, finding out why something died, moving one OpenClaw.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

/** Prints each request; a request for /crash ends it with a stack. */
const SERVER = `
require("node:http").createServer((q, r) => {
  console.log("asked " + q.url);
  if (q.url === "/crash") throw new Error("the database is gone");
  r.statusCode = 404;
  r.end();
}).listen(process.env.PORT, process.env.HOST);`;

test("discover agrees with list about profiles, and sends nothing to a gateway whose check sends nothing", async () => {
  await withScratchHome(async ({ run, json, folder }) => {
    writeFileSync(path.join(folder, "server.js"), SERVER);
    // The listener is a child of the started process, as with npm.
    expect((await run(["create", "dev", "--", "sh", "-c", "node server.js; true"], { cwd: folder })).status).toBe(0);
    expect((await run(["start", "dev"])).status).toBe(0);
    const { gateways } = (await json(["discover"])) as { gateways: readonly { name: string; health: string }[] };
    expect(gateways.filter(({ name }) => name === "dev")).toMatchObject([{ health: "ok", notes: [] }]);
    expect((await run(["logs", "dev"])).stdout).not.toContain("asked");
  });
});

test("an edit of a running protected profile names a restart that can be pasted", async () => {
  await withScratchHome(async ({ run, mustRun, folder }) => {
    writeFileSync(path.join(folder, "server.js"), SERVER);
    await mustRun(["create", "prod", "--protected", "--", "node", "server.js"], { cwd: folder });
    expect((await run(["start", "prod"])).status).toBe(0);
    const { stderr } = await run(["edit", "prod", "--env", "A=1", "--confirm", "prod"]);
    const [, command = ""] = /from its next start on: lockkeeper (.*)\n/.exec(stderr) ?? [];
    const restarted = await run(command.split(" "));
    expect(restarted.status, `${command}: ${restarted.stderr}`).toBe(0);
  });
});

test("why names the command that has started it", async () => {
  await withScratchHome(async ({ mustRun, json, folder }) => {
    const file = path.join(folder, "lockkeeper.json");
    const write = (mode: string): void =>
      writeFileSync(file, JSON.stringify({ profiles: { dev: { kind: "builtin", env: { MODE: mode } } } }));
    write("one");
    const options = { cwd: folder };
    await mustRun(["apply", "-f", file, "--yes"], options);
    await mustRun(["up", "-f", file], options);
    write("two");
    await mustRun(["apply", "-f", file, "--yes"], options);
    await mustRun(["restart", "dev"]);
    await mustRun(["clone", "dev", "copy", "--stop"]);
    await mustRun(["down", "dev"]);
    await mustRun(["start", "dev"]);
    await mustRun(["down", "dev"]);
    await mustRun(["up", "dev"]);
    const { events } = (await json(["why", "dev", "--lines", "100"])) as {
      events: readonly { reason: string | null }[];
    };
    expect(events.flatMap(({ reason }) => (reason?.startsWith("started by") ? [reason] : []))).toEqual([
      `started by "lockkeeper up -f ${file}"`,
      `started by "lockkeeper apply -f ${file}"`,
      'started by "lockkeeper restart"',
      'started by "lockkeeper clone dev copy --stop"',
      'started by "lockkeeper start"',
      'started by "lockkeeper up"',
    ]);
  });
});

test("why shows the last words of a program that died inside a wrapper that lives on", async () => {
  await withScratchHome(async ({ run, mustRun, json, folder }) => {
    writeFileSync(path.join(folder, "server.js"), SERVER);
    // As `node --watch` and other reloaders do.
    await mustRun(["create", "dev", "--", "sh", "-c", "node server.js; sleep 600"], { cwd: folder });
    expect((await run(["start", "dev"])).status).toBe(0);
    expect((await run(["why", "dev"])).stdout).not.toContain("asked");
    const { url } = (await json(["status", "dev"])) as { url: string };
    await fetch(`${url}/crash`).catch(() => undefined);
    await until(
      "it does not answer",
      async () => ((await json(["status", "dev"])) as { health: string }).health !== "ok",
    );
    expect((await run(["why", "dev"])).stdout).toContain("| Error: the database is gone");
    expect(await json(["why", "dev"])).toMatchObject({
      output: null,
      lastLines: expect.arrayContaining([]) as unknown,
    });
  });
});

test("status of a crashed profile points to why, and why shows for each crash the line with the cause", async () => {
  await withScratchHome(async ({ run, mustRun, json, folder }) => {
    writeFileSync(path.join(folder, "server.js"), SERVER);
    await mustRun(["create", "api", "--", "node", "server.js"], { cwd: folder });
    expect((await run(["start", "api"])).status).toBe(0);
    const { url } = (await json(["status", "api"])) as { url: string };
    for (const restarts of [1, 2]) {
      await fetch(`${url}/crash`).catch(() => undefined);
      await until(`restart ${restarts}`, async () => {
        const [status] = (await json(["list"])) as [{ restarts: number; state: string }];
        return status.restarts === restarts && status.state === "running";
      });
    }
    const status = await run(["status", "api"]);
    expect(status.stderr).toContain("What happened: lockkeeper why api");
    expect((await run(["status", "api", "--json"])).stderr).toBe("");
    const { stdout } = await run(["why", "api"]);
    // The whole output for the last end, and one line for the one before.
    expect(stdout.match(/\| Error: the database is gone$/gm)).toHaveLength(2);
    expect(stdout.match(/\| Node\.js v/g)).toHaveLength(1);
  });
});

test("the address of an adopted OpenClaw can be changed: its own installation does not count as a rival for its ports", async () => {
  await withScratchHome(async ({ run, json, folder }) => {
    const state = path.join(folder, ".openclaw");
    mkdirSync(state, { mode: 0o700 });
    const port = ((await json(["ports", "--next", "--span", "120"])) as { nextFree: number }).nextFree;
    writeFileSync(
      path.join(state, "openclaw.json"),
      JSON.stringify({ gateway: { mode: "local", port, auth: { mode: "token", token: "t".repeat(40) } } }),
      { mode: 0o600 },
    );
    expect((await run(["import", "openclaw", "--all"])).status).toBe(0);
    const edited = await run(["edit", "openclaw", "--host", "0.0.0.0"]);
    expect(edited.status, edited.stderr).toBe(0);
    expect(edited.stderr).toContain("listens where its own config says");
    expect(await json(["list"])).toMatchObject([{ name: "openclaw", host: "0.0.0.0", port }]);
  });
});

test("doctor says of a program with a config of its own why it listens widely, not of variables that it does not have", async () => {
  await withScratchHome(async ({ mustRun, run }) => {
    const standIn = path.join(import.meta.dirname, "../openclaw/fixtures/openclaw-stand-in.js");
    const program = [process.execPath, standIn, "gateway", "run", "--bind", "lan"];
    await mustRun(["create", "oc", "--kind", "openclaw", "--", ...program]);
    await mustRun(["start", "oc"]);
    const { findings } = JSON.parse((await run(["doctor", "--json"])).stdout) as {
      findings: { code: string; title: string }[];
    };
    expect(findings.filter(({ code }) => code === "wide-bind")).toMatchObject([
      {
        title: expect.stringMatching(
          /, not on 127\.0\.0\.1 alone: its own config, or its arguments, say so$/,
        ) as string,
      },
    ]);
  });
});
