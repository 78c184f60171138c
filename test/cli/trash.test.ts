/** Several profiles removed at once, and their way through the trash. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

test("remove takes names and patterns; it names the profiles that cannot be removed, and removes the others", async () => {
  await withScratchHome(async ({ run, json }) => {
    for (const name of ["exp-1", "exp-2", "exp-10", "keep"]) await json(["create", name]);
    expect((await run(["remove", "exp-*"])).status).toBe(2);
    expect((await run(["remove", "exp-1", "nope", "--yes"])).status).toBe(4);
    expect((await run(["list", "--quiet"])).stdout).toBe("exp-1\nexp-2\nexp-10\nkeep\n");
    await json(["start", "exp-2"]);
    const { status, stdout, stderr } = await run(["remove", "exp-*", "--yes"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^exp-1 removed; .*\nexp-10 removed; /);
    expect(stderr).toContain("exp-2");
    expect(await json(["remove", "keep", "--yes"])).toMatchObject({ name: "keep" });
  });
});

test("trash lists and, after a yes, deletes permanently; links are not followed", async () => {
  await withScratchHome(async ({ run, json, home, folder }) => {
    expect(await json(["trash", "list"])).toEqual([]);
    const precious = path.join(folder, "precious");
    mkdirSync(precious);
    writeFileSync(path.join(precious, "file"), "x");
    for (const name of ["a", "b"]) await json(["create", name]);
    symlinkSync(precious, path.join(home, "profiles/a/state/link"));
    await json(["remove", "a", "b", "--yes"]);
    expect(await json(["trash", "list"])).toMatchObject([{ name: "a" }, { name: "b" }]);
    expect((await run(["trash", "list"])).stdout).toMatch(/^NAME +REMOVED +FOLDER\na +20\d\d-.*\nb /);
    const unasked = await run(["trash", "empty"]);
    expect(unasked.status).toBe(2);
    expect(unasked.stderr).toMatch(/hint: .*lockkeeper trash empty --yes\n$/);
    expect((await run(["trash", "empty", "nope", "--yes"])).status).toBe(4);
    expect(await json(["trash", "empty", "a", "--yes"])).toMatchObject([{ name: "a" }]);
    expect(existsSync(path.join(precious, "file"))).toBe(true);
    expect((await run(["restore", "b"])).status).toBe(0);
    expect((await run(["restore", "a"])).status).toBe(4);
    expect(readdirSync(path.join(home, "trash"))).toEqual([]);
  });
});

test("restore takes the last one that was removed, whatever else a person has put into the trash", async () => {
  await withScratchHome(async ({ mustRun, json, home }) => {
    await mustRun(["create", "dev"]);
    await mustRun(["remove", "dev", "--yes"]);
    for (const name of ["dev.kept", "file"]) mkdirSync(path.join(home, "trash", name));
    expect(await json(["trash", "list"])).toMatchObject([
      { removedAt: null },
      { removedAt: expect.any(String) as string },
    ]);
    await mustRun(["restore", "dev"]);
    expect(readdirSync(path.join(home, "trash"))).toEqual(["dev.kept", "file"]);
  });
});

test("exec of a missing program ends as in a shell, and env --unset takes the profile out again", async () => {
  await withScratchHome(async ({ run, json }) => {
    await json(["create", "dev"]);
    const missing = await run(["exec", "dev", "--", "no-such-program"]);
    expect(missing.status).toBe(127);
    expect(missing.stderr).toContain("command not found: no-such-program");
    expect((await run(["exec", "dev", "--", "/etc/passwd"])).status).toBe(126);
    const [set, unset] = [(await run(["env", "dev"])).stdout, (await run(["env", "dev", "--unset"])).stdout];
    const script = `eval "$1"; test -n "$LOCKKEEPER_PROFILE" || exit 1; eval "$2"; env | grep ^LOCKKEEPER_`;
    const left = await run(["exec", "dev", "--", "sh", "-c", script, "sh", set, unset]);
    expect(left.stdout).toMatch(/^LOCKKEEPER_HOME=.*\n$/);
  });
});
