/** Ports that are reserved for other programs: no block touches them, and every command that looks shows them. */
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

test("a reserved port is skipped, refused by its note, shown, and given back", async () => {
  await withScratchHome(async ({ run, mustRun, json }) => {
    await mustRun(["create", "dev"]);
    const [dev] = (await json(["list"])) as { readonly port: number }[];
    const port = (dev?.port ?? 0) + 13;
    expect(await json(["ports", "reserve", String(port), "--note", "postgres, main"])).toMatchObject({
      changed: { first: port, last: port, note: "postgres, main" },
    });
    expect((await run(["ports", "reserve", String(port), "--note", "postgres, main"])).stdout).toContain("nothing");
    await mustRun(["create", "web"]);
    const [web] = (await json(["list", "web"])) as { readonly port: number }[];
    expect(web?.port).toBe(port + 1);

    const refused = await run(["create", "api", "--port", String(port - 2), "--span", "3"]);
    expect(refused.status).toBe(78);
    expect(refused.stderr).toContain(`${port} of the reservation for postgres, main`);
    expect(refused.stderr).toContain(`lockkeeper ports release ${port}`);
    expect((await run(["edit", "dev", "--port", String(port - 2), "--span", "3"])).status).toBe(78);

    expect((await run(["ports"])).stdout).toContain(`kept: ${port} for postgres, main`);
    expect((await run(["ports", "--explain", String(port)])).stdout).toContain("kept: ");
    expect(await json(["ports"])).toMatchObject({
      reservations: [{ first: port, note: "postgres, main" }],
      conflicts: [],
    });

    expect((await run(["ports", "release", String(port)])).stdout).toContain("is given back");
    expect((await run(["ports", "release", String(port)])).stdout).toContain("nothing to change");
    expect((await run(["create", "api", "--port", String(port - 2), "--span", "3"])).status).toBe(0);
  });
});

test("an invalid reservation is refused, and nothing is written", async () => {
  await withScratchHome(async ({ run, mustRun, json }) => {
    await mustRun(["create", "dev"]);
    const [dev] = (await json(["list"])) as { readonly port: number }[];
    const port = dev?.port ?? 0;
    await mustRun(["ports", "reserve", "6000-6010"]);
    for (const [words, status] of [
      [["reserve", String(port + 9)], 78],
      [["reserve", "6010-6020"], 78],
      [["release", "6005"], 78],
      [["reserve", "0"], 2],
      [["reserve", "70000"], 2],
      [["reserve", "20-10"], 2],
      [["reserve", "5432", "--note", "a\nb"], 2],
      [["reserve"], 2],
      [["keep", "5432"], 2],
    ] as const) {
      const { status: got } = await run(["ports", ...words]);
      expect({ words, got }).toEqual({ words, got: status });
    }
    expect(await json(["ports"])).toMatchObject({ reservations: [{ first: 6000, last: 6010, note: "" }] });
  });
});
