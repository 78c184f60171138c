/**
 * A lock file that nobody holds is swept by the next command that looks, whatever the run record says, or without one.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { lockPathFor } from "@lockkeeper/core";
import { describe, expect, test } from "vitest";
import { runCli } from "../harness/cli.ts";
import { holdPort } from "../harness/ports.ts";
import { fixture, isAlive, withProfiles } from "./scratch-profiles.ts";

describe.concurrent("a leftover lock file", () => {
  test.each(
    ["stopped", "failed", "none"].flatMap((record) =>
      ["list", "status", "stop"].map((verb) => [record, verb] as const),
    ),
  )("beside a record that says %s is swept by %s", (record, verb) =>
    withProfiles(async ({ profiles, create, home }) => {
      const argv = record === "failed" ? ["no-such-program"] : fixture("serve", "{port}");
      const { paths } = await create({ name: "api", span: 1, argv });
      const started = await profiles.start("api").catch(() => undefined);
      expect(started === undefined).toBe(record === "failed");
      const [name = "gateway.00000000.lock"] = readdirSync(paths.lock);
      await profiles.stop("api");
      if (record === "failed") await profiles.start("api").catch(() => undefined);
      if (record === "none") rmSync(path.join(home, "run/api.json"));
      const { config, lock } = paths;
      const file = started === undefined ? lockPathFor(lock, config) : path.join(lock, name);
      writeFileSync(file, "", { mode: 0o600 });
      expect((await runCli(home, verb === "list" ? ["list"] : [verb, "api"])).stderr).not.toContain("Error");
      expect(readdirSync(lock)).toEqual([]);
    }),
  );

  test("is not swept while somebody holds it: the control", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const { paths } = await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      const { status } = await profiles.start("api");
      const files = readdirSync(paths.lock);
      expect(files).toHaveLength(1);
      rmSync(path.join(home, "run/api.json"));
      for (const args of [["list"], ["status", "api"]]) await runCli(home, args);
      expect(readdirSync(paths.lock)).toEqual(files);
      expect(isAlive(status.pid)).toBe(true);
      expect(existsSync(path.join(paths.lock, files[0] ?? ""))).toBe(true);
    }));
});

test("discover and import print no Node warning, however many listeners there are", () =>
  withProfiles(async ({ home }) => {
    const held = await Promise.all(Array.from({ length: 14 }, () => holdPort()));
    try {
      for (const args of [["discover"], ["discover", "--json"], ["import", "--json"]]) {
        expect((await runCli(home, args)).stderr).not.toContain("Warning");
      }
    } finally {
      await Promise.all(held.map(({ release }) => release()));
    }
  }));
