import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readProcessName } from "../../src/host/proc.ts";

test.skipIf(process.platform !== "linux").each([
  ["MainThread", path.basename(process.execPath)],
  ["my-gateway", "my-gateway"],
])("a process that calls itself %s is shown as %s", async (title, name) => {
  const script = `process.title = "${title}"; console.log("named"); setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(async () => {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  });
  await once(child.stdout, "data");
  expect(readProcessName(child.pid ?? 0)).toBe(name);
});
