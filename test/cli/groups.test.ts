/** Groups and patterns in place of names, `wait` for scripts, and single values on stdout. */
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

test("a group or a pattern stands for its profiles; protected ones still need their own name", async () => {
  await withScratchHome(async ({ run, mustRun, json }) => {
    await mustRun(["create", "api", "--group", "prod"]);
    await mustRun(["create", "web", "--group", "prod", "--group", "site", "--protected"]);
    await mustRun(["create", "dev-1"]);
    const names = async (...words: readonly string[]): Promise<readonly string[]> =>
      ((await json(["list", ...words])) as { name: string }[]).map(({ name }) => name);
    expect(await names("@prod")).toEqual(["api", "web"]);
    expect(await names("dev-*", "@site")).toEqual(["dev-1", "web"]);
    expect(await names("?pi")).toEqual(["api"]);

    expect((await run(["start", "@prod"])).status).toBe(0);
    expect((await run(["wait", "@prod"])).status).toBe(0);
    const refused = await run(["stop", "@prod"]);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining("web is protected") as string });
    expect((await run(["status", "api"])).status).toBe(0);
    expect((await run(["stop", "@prod", "--confirm", "web"])).status).toBe(0);

    for (const word of ["@prdo", "@", "x*"]) {
      const unknown = await run(["start", word]);
      expect({ word, status: unknown.status }).toEqual({ word, status: 4 });
      expect(unknown.stderr).toContain(word);
    }
    expect((await run(["start", "@prdo"])).stderr).toContain("Did you mean prod?");
  });
});

test("the results of the others are told beside a name that does not exist, and the gravest status wins", async () => {
  await withScratchHome(async ({ run, mustRun }) => {
    await mustRun(["create", "dev"]);
    await mustRun(["create", "bad", "--", "no-such-program"]);
    const started = await run(["start", "nobody", "dev"]);
    expect(started).toMatchObject({ status: 4, stdout: expect.stringMatching(/^dev: started, /) as string });
    const both = await run(["start", "nobody", "bad"]);
    expect(both).toMatchObject({ status: 1, stderr: expect.stringContaining("no-such-program") as string });
    for (const verb of ["restart", "stop"]) {
      const done = await run([verb, "nobody", "dev"]);
      expect(done).toMatchObject({
        status: 4,
        stdout: expect.stringMatching(/^dev: (?:restarted, |stopped\n)/) as string,
      });
    }
  });
});

test("wait ends when the state is reached, at its deadline with 5, and at once when it cannot be reached", async () => {
  await withScratchHome(async ({ run, mustRun, json }) => {
    await mustRun(["create", "dev"]);
    await mustRun(["create", "bad", "--", "false"]);
    expect((await run(["wait", "dev", "--timeout", "200ms"])).status).toBe(5);
    expect((await run(["wait", "dev", "--for", "stopped"])).status).toBe(0);
    expect((await run(["wait", "nobody"])).status).toBe(4);
    expect((await run(["start", "bad"])).status).toBe(1);
    const gaveUp = await run(["wait", "bad", "dev", "--timeout", "30s"]);
    expect(gaveUp).toMatchObject({ status: 1, stdout: expect.stringContaining("failed") as string });

    const waiting = run(["wait", "dev", "--json"]);
    await mustRun(["start", "dev"]);
    const { status, stdout } = await waiting;
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ outcome: "reached", status: { name: "dev", state: "running" } }]);
    expect(await json(["wait", "dev"])).toMatchObject([{ outcome: "reached" }]);
  });
});

test("url and port print one value of the present run", async () => {
  await withScratchHome(async ({ run, mustRun }) => {
    await mustRun(["create", "dev", "--extra-port", "metrics=+1"]);
    const port = (await run(["port", "dev"])).stdout;
    expect(port).toMatch(/^\d+\n$/);
    expect((await run(["url", "dev"])).stdout).toBe(`ws://127.0.0.1:${port}`);
    expect(Number((await run(["port", "dev", "metrics"])).stdout)).toBe(Number(port) + 1);
    expect(await run(["port", "dev", "metric"])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("Did you mean metrics?") as string,
    });
    expect((await run(["url", "nobody"])).status).toBe(4);
  });
});
