/** What happens to a profile besides start and stop: clone, rename, remove, restore, settings; and protection. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

describe("the life of a profile by commands", () => {
  test("clone lists what it leaves behind and reports progress, in lines without a terminal", async () => {
    await withScratchHome(async ({ run, json, home }) => {
      await json(["create", "dev"]);
      const state = path.join(home, "profiles/dev/state");
      await mkdir(path.join(state, "credentials"));
      await writeFile(path.join(state, "credentials/key"), "secret");
      await writeFile(path.join(state, "notes.txt"), "kept");
      const { status, stdout, stderr } = await run(["clone", "dev", "copy"]);
      expect(status).toBe(0);
      expect(stdout).toMatch(
        /^copy created: ports \d+-\d+, 1 file \(4 B\) copied\nleft behind:\n {2}credentials +state\/credentials\n/,
      );
      expect(stderr).toContain("copy: copying 100% of 1 file, 4 B\n");
      expect(stderr).toContain("--include credentials");
      const copied = path.join(home, "profiles/copy/state");
      expect(await readFile(path.join(copied, "notes.txt"), "utf8")).toBe("kept");
      expect(existsSync(path.join(copied, "credentials"))).toBe(false);

      const whole = await json(["clone", "dev", "whole", "--include", "credentials"]);
      expect(whole).toMatchObject({ status: { name: "whole" }, copied: { files: 2 }, leftBehind: [] });
      expect((await run(["clone", "dev", "copy"])).status).toBe(73);
      expect((await run(["clone", "dev", "x", "--include", "everything"])).status).toBe(2);
      expect((await run(["clone", "dve", "x"])).status).toBe(4);
    });
  });

  test("rename, remove and restore keep ports and content", async () => {
    await withScratchHome(async ({ run, json, home }) => {
      const { port } = (await json(["create", "dev"])) as { port: number };
      await json(["use", "dev"]);
      await writeFile(path.join(home, "profiles/dev/workspace/mine"), "mine");
      expect(await json(["rename", "dev", "stage"])).toMatchObject({ status: { name: "stage", port } });
      expect((await run(["current"])).stdout).toBe("stage\n");
      expect((await run(["rename", "dev", "other"])).status).toBe(4);
      await json(["create", "dev"]);
      expect((await run(["rename", "dev", "stage"])).status).toBe(73);

      await json(["remove", "stage", "--yes"]);
      expect(await json(["restore", "stage"])).toMatchObject({ name: "stage", port });
      expect(readFileSync(path.join(home, "profiles/stage/workspace/mine"), "utf8")).toBe("mine");
      expect((await run(["restore", "stage"])).status).toBe(73);
      expect((await run(["restore", "nothing"])).status).toBe(4);
    });
  });

  test("config shows what it changes, refuses invalid values, and a dry run writes nothing", async () => {
    await withScratchHome(async ({ run, json, home }) => {
      await json(["create", "dev"]);
      const file = path.join(home, "config.json");
      const valueOf = async (key: string): Promise<number> =>
        Number((await run(["config", "get", key, "--quiet"])).stdout);
      const old = await valueOf("poolLast");
      const wanted = String(old + 1);
      expect((await run(["config", "set", "poolLast", wanted, "--dry-run"])).stdout).toContain("(not written)");
      expect(await valueOf("poolLast")).toBe(old);
      const set = await run(["config", "set", "poolLast", wanted]);
      expect(set.stdout).toBe(`${file}\n- poolLast: ${old}\n+ poolLast: ${wanted}\n`);
      expect(await valueOf("poolLast")).toBe(old + 1);
      const own = await run(["config", "set", "heartbeatMs", "5000", "--profile", "dev"]);
      expect(own.stdout).toContain("+ heartbeatMs: 5000\n");
      expect(own.stderr).toContain("lockkeeper restart dev");
      expect(await json(["config", "get", "heartbeatMs", "--profile", "dev"])).toMatchObject({
        profile: "dev",
        entries: [{ key: "heartbeatMs", value: 5_000, set: "yes" }],
      });

      const before = await readFile(file, "utf8");
      for (const [args, hint] of [
        [["poolLats", "1"], "poolLast"],
        [["poolLast", "80"], "poolLast: the last port"],
        [["poolLast", "18000"], "config set poolFirst 1024"],
        [["defaultProfile", "dev"], "lockkeeper list"],
      ] as const) {
        const refused = await run(["config", "set", ...args]);
        expect(refused.status, args.join(" ")).toBe(2);
        expect(refused.stderr).toContain(hint);
      }
      expect((await run(["config", "set", "poolLast"])).status).toBe(2);
      expect((await run(["config", "get", "poolLast", "1"])).status).toBe(2);
      expect((await run(["config", "get", "poolLast"])).stdout).toMatch(/^\d+\n$/);
      expect((await run(["config", "get"])).stdout).toMatch(/KEY +VALUE/);
      expect((await run(["config", "get", "--profile", "nope"])).status).toBe(4);
      expect(await readFile(file, "utf8")).toBe(before);
    });
  });
});

describe("a protected profile", () => {
  test("remove, rename, clone and takeover need its name twice; a yes is not enough", async () => {
    await withScratchHome(async ({ run, json, home }) => {
      await json(["create", "prod", "--protected"]);
      const before = await readFile(path.join(home, "registry.json"), "utf8");
      for (const args of [
        ["remove", "prod", "--yes"],
        ["rename", "prod", "live"],
        ["clone", "prod", "copy"],
        ["takeover", "prod", "--yes"],
      ]) {
        for (const more of [[], ["--confirm", "other"]]) {
          const { status, stderr } = await run([...args, ...more], { input: "prod\ny\n" });
          expect(status, args.join(" ")).toBe(2);
          expect(stderr).toContain("prod is protected: nothing was done");
          expect(stderr).toContain("--confirm prod");
        }
      }
      expect(await readFile(path.join(home, "registry.json"), "utf8")).toBe(before);

      expect(await json(["clone", "prod", "copy", "--confirm", "prod"])).toMatchObject({
        status: { protected: false },
      });
      expect(await json(["rename", "prod", "live", "--confirm", "prod"])).toMatchObject({
        status: { protected: true },
      });
      expect((await run(["remove", "live", "--confirm", "live"])).status).toBe(0);
      expect(await json(["restore", "live"])).toMatchObject({ protected: true });
    });
  });

  test("none of them uses the default profile", async () => {
    await withScratchHome(async ({ run, json }) => {
      await json(["create", "dev"]);
      await json(["use", "dev"]);
      for (const verb of ["remove", "rename", "clone", "takeover"]) expect((await run([verb])).status, verb).toBe(2);
    });
  });

  test("use of it is marked; list and the prompt mark it too", async () => {
    await withScratchHome(async ({ run, json }) => {
      await json(["create", "dev"]);
      await json(["create", "prod", "--protected"]);
      expect((await run(["use", "dev"])).stdout).not.toContain("PROTECTED");
      expect((await run(["current", "--short"])).stdout).toBe("dev\n");
      expect((await run(["use", "prod"])).stdout).toContain("PROTECTED");
      expect((await run(["list"])).stdout).toMatch(/^\*! +prod /m);
      expect((await run(["current", "--short"])).stdout).toBe("prod!\n");
      expect((await run(["current"])).stdout).toBe("prod\n");
      expect(
        (await run(["shell", "prod"], { env: { SHELL: "/bin/sh" }, input: 'echo "$LOCKKEEPER_PROMPT"\n' })).stdout,
      ).toBe("[prod!]\n");
    });
  });
});
