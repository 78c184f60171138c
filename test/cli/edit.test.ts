import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { holdPort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

const SERVER = `require("node:http").createServer((_, answer) => answer.end(process.env.MODE)).listen(process.argv[1], "127.0.0.1")`;

async function answerOf({ json }: ScratchHome): Promise<string> {
  const { port } = (await json(["status", "api"])) as { port: number };
  return (await fetch(`http://127.0.0.1:${port}`)).text();
}

test("a running gateway continues as it was started, even through a crash, and takes the edit at its next start", async () => {
  await withScratchHome(async (scratch) => {
    const { run, json } = scratch;
    expect((await run(["create", "api", "--env", "MODE=old", "--", "node", "-e", SERVER, "{port}"])).status).toBe(0);
    expect((await run(["start", "api"])).status).toBe(0);
    const edited = await run(["edit", "api", "--env", "MODE=new", "--stop-timeout", "90s"]);
    expect(edited).toMatchObject({ status: 0, stdout: "api\n  env.MODE       changed\n  stopTimeoutMs  - -> 90s\n" });
    expect(edited.stderr).toContain("lockkeeper restart api");
    const { pid } = ((await json(["list"])) as { pid: number }[])[0] ?? { pid: 0 };
    process.kill(pid, "SIGKILL");
    await until("it is back", async () => {
      const status = JSON.parse((await run(["status", "api", "--json"])).stdout) as { state: string; restarts: number };
      return status.state === "running" && status.restarts === 1;
    });
    expect(await answerOf(scratch)).toBe("old");
    expect(await json(["status", "api"])).toMatchObject({ pendingChange: true });
    expect((await run(["edit", "api", "--port", "30000", "--json"])).status).toBe(1);
    expect((await run(["restart", "api"])).status).toBe(0);
    expect(await answerOf(scratch)).toBe("new");
    expect(await json(["status", "api"])).toMatchObject({ pendingChange: false });
  });
});

test("a running gateway is asked and addressed as it was started, until its next start", async () => {
  await withScratchHome(async ({ mustRun, json }) => {
    const server = `require("node:http").createServer((request, answer) => answer.writeHead(request.url === "/a" ? 200 : 404).end()).listen(process.argv[1], "127.0.0.1")`;
    await mustRun(["create", "api", "--health", "/a", "--", "node", "-e", server, "{port}"]);
    await mustRun(["start", "api"]);
    await mustRun(["edit", "api", "--health", "/b", "--scheme", "https"]);
    const started = { state: "running", health: "ok", healthCheck: "/a", scheme: "http", pendingChange: true };
    expect(await json(["status", "api"])).toMatchObject(started);
    expect((await json(["list"])) as unknown).toMatchObject([
      { health: "ok", url: expect.stringMatching(/^http:/) as string },
    ]);
    expect((await mustRun(["url", "api"])).stdout).toMatch(/^http:/);
    expect((await mustRun(["env", "api", "--shell", "bash"])).stdout).toContain("LOCKKEEPER_URL='http:");
    await mustRun(["stop", "api"]);
    expect(await json(["list"])).toMatchObject([{ healthCheck: "/b", scheme: "https" }]);
  });
});

test("a profile that was blocked on a port that is not its own now is not called blocked, though the port is still taken", async () => {
  await withScratchHome(async ({ run, mustRun, json }) => {
    const holder = await holdPort();
    try {
      await mustRun(["create", "api", "--span", "1"]);
      // For this run only.
      expect((await run(["start", "api", "--port", String(holder.port)])).status).toBe(78);
      expect(await json(["list"])).toMatchObject([{ state: "stopped" }]);
      const doctor = JSON.parse((await run(["doctor", "--json"])).stdout) as { findings: { title: string }[] };
      expect(doctor.findings.filter(({ title }) => title.includes("api"))).toEqual([]);
    } finally {
      await holder.release();
    }
  });
});

test("a protected profile is edited, and unprotected, only when its name is given twice", async () => {
  await withScratchHome(async ({ run, mustRun, json, home }) => {
    await mustRun(["create", "dev"]);
    expect(await json(["protect", "dev"])).toMatchObject({
      profile: "dev",
      changes: [{ field: "protected", to: true }],
    });
    const before = await readFile(`${home}/registry.json`, "utf8");
    for (const argv of [
      ["edit", "dev", "--env", "A=1"],
      ["unprotect", "dev"],
      ["unprotect", "dev", "--confirm", "dve"],
    ]) {
      expect((await run(argv)).status, argv.join(" ")).toBe(2);
    }
    expect(await readFile(`${home}/registry.json`, "utf8")).toBe(before);
    expect((await run(["edit", "dev", "--env", "A=1", "--dry-run"])).stdout).toBe(
      "dev (not written)\n  env.A  added\n",
    );
    expect((await run(["edit", "dev", "--env", "A=1", "--confirm", "dev"])).status).toBe(0);
    expect(await json(["unprotect", "dev", "--confirm", "dev"])).toMatchObject({ changes: [{ to: false }] });
    expect((await run(["unprotect", "dev"])).stdout).toBe("dev was not protected\n");
  });
});

test("url, list and the gateway's own variables follow --scheme", async () => {
  await withScratchHome(async (scratch) => {
    const { run, json } = scratch;
    const script = SERVER.replace("process.env.MODE", "process.env.LOCKKEEPER_URL");
    expect((await run(["create", "api", "--scheme", "http", "--", "node", "-e", script, "{port}"])).status).toBe(0);
    expect((await run(["start", "api"])).status).toBe(0);
    const [status] = (await json(["list"])) as { url: string; scheme: string; health: string; healthCheck: string }[];
    expect(status).toMatchObject({ scheme: "http", health: "ok", healthCheck: "http" });
    expect(status?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await run(["url", "api"])).stdout.trim()).toBe(status?.url);
    expect(await answerOf(scratch)).toBe(status?.url);
  });
});

test("without --scheme a user's own program is http and the built-in gateway ws; the check does not change", async () => {
  await withScratchHome(async ({ run, mustRun, json }) => {
    await mustRun(["create", "api", "--", "node", "server.js"]);
    await mustRun(["create", "dev"]);
    await mustRun(["create", "chat", "--scheme", "ws", "--", "node", "chat.js"]);
    expect(await json(["list"])).toMatchObject([
      { name: "api", scheme: "http", healthCheck: "tcp" },
      { name: "chat", scheme: "ws", healthCheck: "tcp" },
      { name: "dev", scheme: "ws", healthCheck: "/healthz" },
    ]);
    const [api, chat, dev] = await Promise.all(["api", "chat", "dev"].map((name) => run(["url", name])));
    expect(api?.stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/);
    expect(chat?.stdout).toMatch(/^ws:/);
    expect(dev?.stdout).toMatch(/^ws:/);
    expect(await json(["open", "chat"])).toMatchObject({ url: expect.stringMatching(/^http:/) as string });
  });
});

test("status shows the program, its directory and the names of its variables, and no secret", async () => {
  await withScratchHome(async ({ run, json, folder }) => {
    const options = ["--env", "TOKEN=s3cret", "--env", "EDITOR", "--stop-timeout", "90s", "--after", "db"];
    const hooks = ["--hook", "failed=https://me:s3cret@example.org/s3cret?x=s3cret", "--hook", "ready=/bin/true"];
    expect((await run(["create", "api", ...options, ...hooks, "--", "node", "-e", "it's {{x}}"])).status).toBe(0);
    const shown = await run(["status", "api", "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      command: ["node", "-e", "it's {{x}}"],
      cwd: folder,
      envNames: ["EDITOR", "TOKEN"],
      envFile: null,
      stopTimeoutMs: 90_000,
      after: ["db"],
      end: "group",
      hooks: { failed: "https://example.org", ready: "/bin/true" },
    });
    const text = (await run(["status", "api"])).stdout;
    expect(text).toContain("node -e 'it'\\''s {{x}}'");
    expect(text).toContain(folder);
    expect(shown.stdout + text).not.toContain("s3cret");
    expect(await json(["list"])).toMatchObject([{ name: "api" }]);
  });
});
