/** Who can reach a built-in gateway, and under which name: what is said about it, and what the gateway itself does. */
import { get, type IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

function statusFor(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path: "/healthz", headers: { host }, agent: false });
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

test("security 6: every spelling of every address is said at create, at start and by doctor", async () => {
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
