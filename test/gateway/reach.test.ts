/** Who can reach a built-in gateway, and by which name: our reports, and the gateway itself. */
import { readFile } from "node:fs/promises";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

function statusFor(
  port: number,
  host: string,
  path = "/healthz",
  headers: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, headers: { host, ...headers }, agent: false });
    request.on("response", (response: IncomingMessage) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
  });
}

test("security 1: a profile answers under its own name, and not under its neighbour's", async () => {
  await withScratchHome(async ({ json }) => {
    await json(["up", "dev", "prod"]);
    const { port } = (await json(["status", "dev"])) as { port: number };
    expect(await statusFor(port, `dev.localhost:${port}`)).toBe(200);
    for (const host of [
      `prod.localhost:${port}`,
      "dev.localhost",
      `dev.localhost.:${port}`,
      `x.dev.localhost:${port}`,
    ]) {
      expect([host, await statusFor(port, host)]).toEqual([host, 403]);
    }
  });
});

test("security 6: create, start and doctor warn of every spelling of all addresses", async () => {
  await withScratchHome(async ({ run }) => {
    for (const [name, host] of [
      ["a", "0.0.0.0"],
      ["b", "0x0"],
    ] as const) {
      const { stderr } = await run(["create", name, "--host", host]);
      expect(stderr).toContain(`${name} is set to listen on every address of this machine (${host})`);
    }
    await run(["create", "narrow"]).then(({ stderr }) => expect(stderr).not.toContain("every address"));
    expect((await run(["start", "b"])).stderr).toContain("b is set to listen on every address of this machine (0x0)");
    const { findings } = JSON.parse((await run(["doctor", "--json"])).stdout) as {
      findings: { code: string; title: string; evidence: string[] }[];
    };
    const wide = findings.filter(({ code }) => code === "wide-bind");
    expect(wide.map(({ title }) => title[0]).sort()).toEqual(["a", "b"]);
    expect(wide.find(({ title }) => title.startsWith("b"))?.evidence.join()).toContain("listens on 0.0.0.0:");
  });
});

test("security 3 and 15: the log names a locked-out client, once, in one plain line and without any token", async () => {
  await withScratchHome(async ({ run, json }) => {
    await json(["up", "dev"]);
    const { port, paths } = (await json(["status", "dev"])) as { port: number; paths: { logs: string } };
    const token = (await run(["token", "dev"])).stdout.trim();
    const host = `dev.localhost:${port}`;
    const wrong = { authorization: `Bearer ${"w".repeat(43)}`, "user-agent": "\u009b31m\u00a0" };
    for (let attempt = 0; attempt < 10; attempt += 1) expect(await statusFor(port, host, "/status", wrong)).toBe(401);
    expect(await statusFor(port, host, "/status", { authorization: `Bearer ${token}` })).toBe(429);
    expect(await statusFor(port, host, "/status", wrong)).toBe(429);
    expect(await statusFor(port, host)).toBe(200);
    const log = await readFile(`${paths.logs}/gateway.log`, "utf8");
    expect(log.split("\n").filter((line) => line.includes("failed attempts"))).toHaveLength(1);
    expect(log).not.toContain(token);
    expect(log).not.toContain("wwww");
    // oxlint-disable-next-line no-control-regex
    expect(log).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});
