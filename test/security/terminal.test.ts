/**
 * SECURITY 15: nothing that was planted in a registry, a record, a name or an argument reaches a terminal raw: no escape
 * sequence, no direction mark, no line that looks like ours.
 */
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

const PLANTED = "\u001B]0;owned\u0007\u001B[2J\u009B31m\u202Eevil\u2028\nerror: forged\nhint: forged";
// oxlint-disable-next-line no-control-regex -- these are what must not be seen.
const RAW = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/;

test("security 15: planted text is shown escaped, in text and in JSON, on both streams", async () => {
  await withScratchHome(async ({ home, run, json }) => {
    await json(["create", "a"]);
    const registry = path.join(home, "registry.json");
    const sound = fs.readFileSync(registry, "utf8");
    const evil = JSON.stringify(PLANTED);
    // A host becomes part of addresses and of shell variables: an invalid one is refused.
    fs.writeFileSync(registry, sound.replace('"host":"127.0.0.1"', `"host":${evil}`));
    for (const args of [["list"], ["env", "a"], ["url", "a", "--json"]]) {
      const { status, stdout, stderr } = await run(args);
      expect({ args, status, raw: RAW.exec(stdout + stderr) }).toEqual({ args, status: 65, raw: null });
    }
    const fields = `"health":${evil},"cwd":${evil},"groups":[${evil}]`;
    fs.writeFileSync(
      registry,
      sound.replace(/"health":"[^"]*"/, () => fields),
    );
    fs.writeFileSync(
      path.join(home, "run/a.json"),
      JSON.stringify({
        v: 1,
        profile: "a",
        nonce: "n",
        state: "failed",
        reason: PLANTED,
        code: PLANTED,
        since: PLANTED,
        keeper: null,
        gateway: null,
        host: PLANTED,
        port: 1,
        ports: { [PLANTED]: 1 },
        startedAt: PLANTED,
        health: "ok",
        restarts: 0,
        lastExit: { code: null, signal: PLANTED, at: PLANTED },
      }),
      { mode: 0o600 },
    );
    const logs = path.join(home, "profiles/a/logs");
    fs.writeFileSync(path.join(logs, "gateway.log"), `${PLANTED}\n`, { mode: 0o600 });
    for (const args of [
      ["list"],
      ["status", "a"],
      ["why", "a"],
      ["logs", "a"],
      ["ports"],
      ["doctor"],
      ["current"],
      ["export", "a", "--format", "json"],
      ["start", PLANTED],
      ["create", PLANTED],
      ["list", `--${PLANTED}`],
      ["exec", "a", "--", PLANTED],
      ["config", "get", PLANTED],
    ]) {
      for (const more of [[], ["--json"]]) {
        const { stdout, stderr } = await run([...args.slice(0, 2), ...more, ...args.slice(2)]);
        expect({ args, raw: RAW.exec(stdout + stderr) }).toEqual({ args, raw: null });
        expect({ args, stderr }).not.toMatchObject({
          stderr: expect.stringMatching(/^(error|hint): forged$/m) as string,
        });
      }
    }
    fs.writeFileSync(registry, sound);
    fs.rmSync(path.join(home, "run/a.json"));
  });
});
