/**
 * SECURITY 10: a keeper lives for months. It gets the allow-list of its starter's environment and the profile's
 * variables, and obeys none of them. Neither a variable nor a signal opens a debugger in it or in the built-in gateway.
 */
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { findHolders, readListeners } from "@lockkeeper/core/internal";
import { freePort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

const SECRETS = {
  AWS_SECRET_ACCESS_KEY: "canary-aws",
  OPENCLAW_GATEWAY_TOKEN: "canary-token",
  BASH_ENV: "/tmp/canary-bash",
  LD_CANARY: "canary-ld",
  LOCKKEEPER_RUN: "canary-run",
};

/** Returns the names of the variables that a process was started with (Linux). */
function environmentOf(pid: number): Record<string, string> {
  const entries = fs
    .readFileSync(`/proc/${pid}/environ`, "utf8")
    .split("\0")
    .filter((entry) => entry !== "");
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

interface Running {
  readonly pid: number;
  readonly keeperPid: number;
  readonly ports: { readonly gateway: number };
}

test.skipIf(process.platform !== "linux")(
  "security 10: the keeper shows nothing of its starter's environment, and no debugger (needs /proc)",
  async () => {
    await withScratchHome(async ({ folder, run, json }) => {
      const port = await freePort();
      const hook = path.join(folder, "hook.cjs");
      fs.writeFileSync(hook, "require('node:fs').writeFileSync(__dirname + '/obeyed-' + process.pid, '')");
      await json(["create", "a", "--port", String(port), "--env", "WANTED", "--env", "NODE_OPTIONS"]);
      const env = { ...SECRETS, WANTED: "yes", NODE_OPTIONS: `--require ${hook}`, LC_ALL: "C" };
      expect(await run(["start", "a"], { env })).toMatchObject({ status: 0 });
      const [{ pid, keeperPid }] = (await json(["list"])) as [Running];
      const keeper = environmentOf(keeperPid);
      expect(Object.keys(keeper)).toEqual(
        expect.arrayContaining(["HOME", "LC_ALL", "LOCKKEEPER_HOME", "PATH", "WANTED"]),
      );
      for (const name of [...Object.keys(SECRETS), "NODE_OPTIONS"]) expect(keeper).not.toHaveProperty(name);
      // What the owner passes on to the gateway reaches the gateway alone.
      expect(environmentOf(pid)).toMatchObject({ WANTED: "yes", NODE_OPTIONS: `--require ${hook}` });
      expect(fs.existsSync(`${folder}/obeyed-${pid}`)).toBe(true);
      expect(fs.existsSync(`${folder}/obeyed-${keeperPid}`)).toBe(false);
      for (const each of [pid, keeperPid]) process.kill(each, "SIGUSR1");
      await until("both have had time to take the signal", async () => (await run(["status", "a"])).status === 0);
      const listeners = readListeners();
      const seen = listeners === "unknown" ? [] : listeners;
      const theirs = [...findHolders(seen, { among: [pid, keeperPid] }).keys()];
      expect([...new Set(theirs.map((listener) => listener.port))]).toEqual([port]);
    });
  },
);
