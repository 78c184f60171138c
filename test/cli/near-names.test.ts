/** `up` with a name that is probably a typing error asks; names that are alike on purpose are created. */
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

test("a new name near an old one leads to a question, and nothing is created where nobody can answer", async () => {
  await withScratchHome(async ({ run, json }) => {
    await json(["create", "prod"]);
    for (const slip of ["prd", "prdo", "prodd"]) {
      const { status, stderr } = await run(["up", "new-one", slip, "--json"]);
      expect(status, slip).toBe(slip === "prodd" ? 0 : 2);
      if (status === 2) expect(JSON.parse(stderr)).toMatchObject({ error: { code: "CONFIRMATION_NEEDED" } });
    }
    const made = await run(["up", "prd", "--yes"]);
    expect(made.status, made.stderr).toBe(0);
    expect(made.stderr).toContain("prd: new (built-in gateway)\n");
  });
});

test("short names, and names that differ only in digits, are accepted", async () => {
  await withScratchHome(async ({ run, mustRun }) => {
    for (const name of ["web1", "qa", "dev"]) await mustRun(["create", name, "--", "true"]);
    const { stderr } = await run(["up", "web2", "qb", "dev-2", "--", "true"]);
    expect(stderr).not.toContain("is near");
    expect((await run(["list", "--quiet"])).stdout).toBe("dev\ndev-2\nqa\nqb\nweb1\nweb2\n");
  });
});
