/**
 * The examples of docs/profiles-library.md, one after the other, as one program in a project that has the packages
 * installed.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { bareEnvironment } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const page = readFileSync(new URL("../../docs/profiles-library.md", import.meta.url), "utf8");
const SERVER = `console.log("I serve"); require("node:http").createServer((q, r) => r.end("hello")).listen(process.env.PORT, process.env.HOST)`;

test("the examples run", async () => {
  const blocks = [...page.matchAll(/^```js\n([^]*?)^```/gm)].map(([, block = ""]) => block);
  expect(blocks.length).toBeGreaterThanOrEqual(3);
  await withScratchHome(async ({ home, folder }) => {
    const project = path.join(folder, "api");
    mkdirSync(project);
    writeFileSync(path.join(project, "server.js"), SERVER);
    const code = blocks.join("\n").replace("/srv/api", project);
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], {
      // In this folder the packages are found by their names.
      cwd: import.meta.dirname,
      env: bareEnvironment(home),
      encoding: "utf8",
      timeout: 240_000,
    });
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.not.stringContaining("Error") as string });
    expect(stdout).toContain("I serve");
    expect(stdout).toMatch(/^running /m);
    expect(stdout).toMatch(/^api undefined -> running/m);
  });
});
