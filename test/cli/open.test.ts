/** `open` passes a token to a browser, and nothing else sees it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

test("the browser gets a page that only we can read, no token is in an argument, and the page is removed", async () => {
  await withScratchHome(async ({ run, mustRun, home, folder }) => {
    await mustRun(["create", "oc", "--kind", "openclaw"]);
    const token = (await run(["token", "oc"])).stdout.trim();
    const plain = await run(["open", "oc"]);
    expect(plain.stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
    expect(plain.stderr).toContain("lockkeeper token oc");
    expect(plain.stdout + plain.stderr).not.toContain(token);

    const browser = path.join(folder, "browser");
    const seen = path.join(folder, "seen");
    writeFileSync(browser, `#!/bin/sh\ncp "$1" '${seen}.page'; echo "$*" > '${seen}'\n`);
    chmodSync(browser, 0o755);
    const env = { ...bareEnvironment(home), BROWSER: browser };
    const child = spawn(process.execPath, [CLI_ENTRY, "open", "oc"], { env, stdio: "ignore" });
    const ended = once(child, "close");
    await until("the browser was told", () => existsSync(seen) && readFileSync(seen, "utf8").endsWith("\n"));
    const told = readFileSync(seen, "utf8");
    expect(told).not.toContain(token);
    expect(readFileSync(`${seen}.page`, "utf8")).toContain(`#token=${token}`);
    expect(statSync(told.trim()).mode & 0o777).toBe(0o600);
    expect(readFileSync(`/proc/${child.pid}/cmdline`, "utf8")).not.toContain(token);
    child.kill("SIGTERM");
    await ended;
    expect(readdirSync(path.join(home, "run")).filter((name) => name.startsWith("open-"))).toEqual([]);
  });
});
