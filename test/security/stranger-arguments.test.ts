/** The arguments of a stranger that holds a port may be secret: only its program and script are named. */
import { probeHealth } from "@lockkeeper/core";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

const SECRETS = ["canary-option-7c1e", "canary-value-52fa", "canary-word-90bd"] as const;

test.skipIf(process.platform !== "linux")(
  "the arguments of a stranger on the port are shown nowhere (needs /proc)",
  async () => {
    await withScratchHome(async ({ home, folder, run, json }) => {
      const port = String(await freePort());
      await json(["create", "a", "--port", port]);
      // It answers like a healthy gateway, so that `discover` names it too.
      const program = path.join(folder, "stranger.mjs");
      fs.writeFileSync(
        program,
        `import { createServer } from "node:http";
       createServer((_, response) => response.setHeader("content-type", "application/json").end('{"ok":true}'))
         .listen(Number(process.argv[2]), "127.0.0.1");`,
      );
      const stranger = spawn(process.execPath, [
        program,
        port,
        `--token=${SECRETS[0]}`,
        "--key",
        SECRETS[1],
        SECRETS[2],
      ]);
      try {
        await until(
          "the stranger listens",
          async () => (await probeHealth({ host: "127.0.0.1", port: +port })).health === "ok",
        );
        const said: string[] = [];
        for (const args of [
          ["start", "a"],
          ["run", "a"],
          ["status", "a"],
          ["why", "a"],
          ["ports"],
          ["ports", "a"],
          ["ports", "--explain", port],
          ["doctor"],
          ["discover"],
          ["create", "b", "--port", port],
          ["edit", "a", "--port", port],
        ]) {
          for (const more of [[], ["--json"]]) {
            const { stdout, stderr } = await run([...args, ...more]);
            said.push(stdout, stderr);
          }
        }
        const kept = fs
          .readdirSync(home, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "latin1"));
        // The control: it is named by its program.
        expect(said.join("\n")).toContain(`pid ${stranger.pid} (${process.execPath} ${program})`);
        for (const secret of SECRETS) expect([...said, ...kept].join("\n")).not.toContain(secret);
      } finally {
        const ended = once(stranger, "exit");
        stranger.kill("SIGKILL");
        await ended;
      }
    });
  },
);
