/** The README's quick starts, word for word: run by `sh`, one block after the other, in a project of that kind. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const readme = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");

/** The blocks that a reader can paste: those marked as `sh`. */
const blocks = [...readme.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = ""]) => block);

/** Not every machine has what these need; they have tests of their own. */
const NEEDS_MORE = /service install|openclaw/;

const SERVER = `require("node:http").createServer((q, r) => r.end("hello")).listen(process.env.PORT, "127.0.0.1")`;

test("every quick start runs word for word", async () => {
  const runnable = blocks.filter((block) => !NEEDS_MORE.test(block));
  expect(runnable.length).toBeGreaterThanOrEqual(3);
  await withScratchHome(async ({ home, folder }) => {
    const project = path.join(folder, "project");
    const bin = path.join(folder, "bin");
    mkdirSync(project);
    mkdirSync(bin);
    writeFileSync(path.join(project, "server.js"), SERVER);
    writeFileSync(path.join(project, "package.json"), JSON.stringify({ scripts: { dev: "node server.js" } }));
    writeFileSync(path.join(bin, "lockkeeper"), `#!/bin/sh\nexec ${process.execPath} ${CLI_ENTRY} "$@"\n`);
    chmodSync(path.join(bin, "lockkeeper"), 0o755);
    const env = bareEnvironment(home);
    const PATH = `${bin}:${path.dirname(process.execPath)}:${env["PATH"] ?? ""}`;
    for (const block of runnable) {
      // One line after the other, so that a failure names its line.
      for (const line of block.trim().split("\n")) {
        const { status, stdout, stderr } = spawnSync("sh", ["-c", line], {
          cwd: project,
          env: { ...env, PATH },
          encoding: "utf8",
          timeout: 240_000,
        });
        expect({ line, status, output: status === 0 ? "" : stdout + stderr }).toEqual({ line, status: 0, output: "" });
      }
    }
    // So the test's own clean-up need not know which of them are protected.
    spawnSync(path.join(bin, "lockkeeper"), ["stop", "prod", "--confirm", "prod"], { env: { ...env, PATH } });
  });
});
