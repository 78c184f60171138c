import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, open, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";
import type { CliRun } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

/** With `--json`, stderr is one document or empty. */
function errorOf({ stderr }: CliRun): unknown {
  expect(stderr.trim().split("\n")).toHaveLength(1);
  return (JSON.parse(stderr) as { error: unknown }).error;
}

describe("names", () => {
  test.each([
    "..",
    "a/b",
    "A",
    "a b",
    "",
    "x".repeat(40),
    "CON",
    "con",
    "all",
    "a;b",
    "a_ö",
    "-a",
    "a\u0000".slice(0, 1) + ".",
  ])("create %j exits with 2 and creates nothing", async (name) => {
    await withScratchHome(async ({ run, home }) => {
      expect((await run(["create", name])).status).toBe(2);
      await expect(readFile(path.join(home, "registry.json"))).rejects.toThrow();
    });
  });

  test("an unknown name exits with 4, suggests the nearest, writes nothing", async () => {
    await withScratchHome(async ({ run, mustRun }) => {
      await mustRun(["create", "dev"]);
      for (const verb of ["start", "status", "stop", "restart", "run", "logs", "why", "token", "env", "use"]) {
        const result = await run([verb, "dve", "--json"]);
        expect(result.status, verb).toBe(4);
        expect(errorOf(result), verb).toMatchObject({
          code: "PROFILE_NOT_FOUND",
          hint: expect.stringContaining("dev"),
        });
      }
      expect((await run(["remove", "dve", "--yes"])).status).toBe(4);
      expect((await run(["list", "--quiet"])).stdout).toBe("dev\n");
    });
  });

  test("a second profile of the same name exits with 73", async () => {
    await withScratchHome(async ({ run }) => {
      expect((await run(["create", "dev"])).status).toBe(0);
      expect((await run(["create", "dev"])).status).toBe(73);
    });
  });
});

describe("ports", () => {
  test.each(["0", "70000", "-1", "abc", "1.5", ""])("create --port=%s exits with 2", async (port) => {
    await withScratchHome(async ({ run }) => expect((await run(["create", "dev", `--port=${port}`])).status).toBe(2));
  });

  test("another profile's block exits with 78 and names it", async () => {
    await withScratchHome(async ({ run, json }) => {
      const { port } = (await json(["create", "dev"])) as { port: number };
      const result = await run(["create", "prod", "--port", String(port + 1)]);
      expect(result.status).toBe(78);
      expect(result.stderr).toContain("dev");
    });
  });
});

describe("the command line", () => {
  test.each<[readonly string[], RegExp]>([
    [["strat", "dev"], /start/],
    [["start", "dev", "--timeuot", "1"], /--timeout/],
    [["start", "dev", "--timeout", "soon"], /--timeout takes a time/],
    [["create"], /<name> is missing/],
    [["version", "extra"], /no further argument: extra/],
    [["create", "a", "--kind", "docker"], /builtin, command, openclaw/],
    [["--nope"], /lockkeeper --help/],
    [["stop"], /--all/],
    [["start"], /no profiles yet.*\nhint: .*lockkeeper up dev/],
    [["start", "dev", "--all"], /contradict/],
  ])("%j exits with 2", async (args, message) => {
    await withScratchHome(async ({ run, home }) => {
      const plain = await run(args);
      expect(plain.status).toBe(2);
      expect(plain.stdout).toBe("");
      expect(plain.stderr).toMatch(message);
      const asJson = await run([...args, "--json"]);
      expect(asJson.status).toBe(2);
      expect(asJson.stdout).toBe("");
      expect(errorOf(asJson)).toMatchObject({ code: expect.any(String), message: expect.any(String) });
      await expect(readFile(path.join(home, "registry.json"))).rejects.toThrow();
    });
  });

  test("help and version need no home and answer on stdout", async () => {
    await withScratchHome(async ({ run }) => {
      for (const args of [[], ["--help"], ["help"], ["create", "--help"], ["help", "create"], ["create", "x", "-h"]]) {
        const { status, stdout, stderr } = await run(args);
        expect(status).toBe(0);
        expect(stdout).toContain("Examples:");
        expect(stderr).toBe("");
      }
      expect((await run(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    });
  });

  test("a reader that disappears is no failure", async () => {
    await withScratchHome(async ({ home }) => {
      const child = spawn(process.execPath, [CLI_ENTRY, "--help"], {
        env: bareEnvironment(home),
        stdio: ["ignore", "pipe", "pipe"],
      });
      child.stdout.destroy();
      let stderr = "";
      child.stderr.on("data", (text) => (stderr += String(text)));
      const [status] = await once(child, "close");
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    });
  });

  test.skipIf(process.platform !== "linux")("a full disk under stdout exits with 74", async () => {
    await withScratchHome(async ({ home }) => {
      const full = await open("/dev/full", "w");
      const child = spawn(process.execPath, [CLI_ENTRY, "--help"], {
        env: bareEnvironment(home),
        stdio: ["ignore", full.fd, "pipe"],
      });
      const [status] = await once(child, "close");
      await full.close();
      expect(status).toBe(74);
    });
  });
});

describe("the home", () => {
  test("an empty home is named and is no failure", async () => {
    await withScratchHome(async ({ run, home }) => {
      const { status, stdout, stderr } = await run(["list"]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
      expect(stderr).toContain(home);
      expect(await run(["list", "--json"])).toEqual({ status: 0, stdout: "[]\n", stderr: "" });
      expect((await run(["up"])).status).toBe(0);
      expect((await run(["down"])).status).toBe(0);
      expect((await run(["stop", "--all"])).status).toBe(0);
      expect((await run(["current"])).status).toBe(1);
    });
  });

  test("a damaged registry is named, kept, and exits with 65", async () => {
    await withScratchHome(async ({ run, mustRun, home }) => {
      await mustRun(["create", "dev"]);
      const file = path.join(home, "registry.json");
      await writeFile(file, '{"broken');
      for (const args of [["list"], ["create", "other"], ["start", "dev"], ["ports"]]) {
        const { status, stderr } = await run(args);
        expect(status, args.join(" ")).toBe(65);
        expect(stderr).toContain(file);
      }
      expect(await readFile(file, "utf8")).toBe('{"broken');
    });
  });

  test("a home that others may write to is refused with its mode", async () => {
    await withScratchHome(async ({ run, home }) => {
      await chmod(home, 0o777);
      const { status, stderr } = await run(["create", "dev"]);
      expect(status).toBe(77);
      expect(stderr).toContain("777");
    });
  });
});

describe("an output that accepts nothing", () => {
  test.skipIf(process.platform !== "linux")(
    "is reported as an error, with the exit status of a full disk",
    async () => {
      await withScratchHome(async ({ mustRun, home }) => {
        await mustRun(["create", "dev"]);
        const command = [process.execPath, CLI_ENTRY, "list", "--json"].map((word) => JSON.stringify(word)).join(" ");
        const { status, stderr } = spawnSync("/bin/sh", ["-c", `${command} > /dev/full`], {
          env: bareEnvironment(home),
          encoding: "utf8",
        });
        expect(status).toBe(74);
        expect(JSON.parse(stderr)).toMatchObject({ error: { code: "DISK_FULL" } });
      });
    },
  );
});
