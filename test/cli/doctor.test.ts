import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";
import { freePort, holdPort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

interface Finding {
  readonly weight: string;
  readonly code: string;
  readonly command: string | null;
  readonly fix: string | null;
}

const codesOf = (findings: readonly Finding[]): readonly string[] =>
  findings.filter(({ weight }) => weight !== "unknown").map(({ code }) => code);

/** util-linux's `script` gives a command a terminal; its output repeats what is typed. */
const SCRIPT = "/usr/bin/script";

describe("doctor", () => {
  test("findings, most serious first, exit 1; each with its command", async () => {
    await withScratchHome(async ({ run, json, home }) => {
      const { port } = (await json(["create", "dev", "--port", String(await freePort()), "--span", "1"])) as {
        port: number;
      };
      await chmod(path.join(home, "profiles/dev"), 0o755);
      const stranger = await holdPort(port);
      try {
        const sick = await run(["doctor", "--json"]);
        expect(sick.status).toBe(1);
        const { findings } = JSON.parse(sick.stdout) as { findings: readonly Finding[] };
        expect(codesOf(findings)[0]).toBe("port-conflict");
        expect(findings[0]).toMatchObject({
          weight: "error",
          command: `lockkeeper ports --explain ${port}`,
          fix: null,
        });
        const { stdout, status } = await run(["doctor"]);
        expect(status).toBe(1);
        expect(stdout).toMatch(
          new RegExp(`^error {4}port ${port} of dev is held by another process\n {9}seen: pid ${process.pid} `),
        );
        expect(stdout).toContain(`         -> lockkeeper ports --explain ${port}\n`);
      } finally {
        await stranger.release();
      }
    });
  });

  test("--fix shows the repairs and never makes them without consent", async () => {
    await withScratchHome(async ({ run, json, home }) => {
      await json(["create", "dev"]);
      const folder = path.join(home, "profiles/dev");
      await chmod(folder, 0o755);
      const modeOf = async (): Promise<number> => (await stat(folder)).mode & 0o777;

      const unasked = await run(["doctor", "--fix"], { input: "y\n" });
      expect(unasked.status).toBe(2);
      expect(unasked.stderr).toContain(folder);
      expect(unasked.stderr).toContain("lockkeeper doctor --fix --yes");
      expect(await modeOf()).toBe(0o755);

      const fixed = await run(["doctor", "--fix", "--yes", "--json"]);
      const { findings, repaired } = JSON.parse(fixed.stdout) as { findings: readonly Finding[]; repaired: string[] };
      expect(repaired.join("\n")).toContain(folder);
      expect(codesOf(findings)).toEqual([]);
      expect(fixed.status).toBe(0);
      expect(await modeOf()).toBe(0o700);
    });
  });

  test.skipIf(process.platform !== "linux" || !existsSync(SCRIPT))(
    "at a terminal it asks, and takes a no for a no (needs util-linux's script)",
    async () => {
      await withScratchHome(async ({ json, home }) => {
        await json(["create", "dev"]);
        const folder = path.join(home, "profiles/dev");
        await chmod(folder, 0o755);
        for (const [answer, mode] of [
          ["n", 0o755],
          ["y", 0o700],
        ] as const) {
          const command = `"${process.execPath}" "${CLI_ENTRY}" doctor --fix`;
          const child = spawn(SCRIPT, ["-qec", command, "/dev/null"], { env: bareEnvironment(home), timeout: 120_000 });
          let text = "";
          child.stdout.on("data", (more) => {
            text += String(more);
            if (text.includes("[y/N]") && !child.stdin.writableEnded) child.stdin.end(`${answer}\n`);
          });
          const [status] = await once(child, "close");
          expect(text).toContain(folder);
          expect(text).toContain("Make this repair? [y/N]");
          expect({ status, mode: (await stat(folder)).mode & 0o777 }).toEqual({ status: answer === "y" ? 0 : 2, mode });
        }
      });
    },
  );
});
