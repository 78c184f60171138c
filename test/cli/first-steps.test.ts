/** The examples of the first help page, run word for word in an ordinary project. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

test("the examples of --help work word for word, one after the other", async () => {
  await withScratchHome(async ({ run, folder }) => {
    writeFileSync(
      path.join(folder, "server.js"),
      `require("node:http").createServer((_, answer) => answer.end("hello")).listen(Number(process.argv[3]), "127.0.0.1");\n`,
    );
    const help = (await run(["--help"])).stdout;
    const lines = help.match(/(?<=^ {2}lockkeeper ).*?(?= {2,}|$)/gm) ?? [];
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const result = await run(line.split(" "), { cwd: folder });
      expect(result.status, `${line}: ${result.stderr}`).toBe(0);
    }
    const list = (await run(["list"])).stdout;
    for (const name of ["dev", "prod", "api"]) expect(list).toMatch(new RegExp(`^ +${name} +running`, "m"));
    expect((await run(["--profile", "dev", "stop"])).status).toBe(0);
    expect((await run(["down"])).status).toBe(0);
  });
});
