/** A main and a rescue gateway from nothing, and what people do with them: rename, clone, edit, run one by hand. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { until } from "../harness/until.ts";
import { healthz, timed } from "./bench.ts";
import type { Bench } from "./bench.ts";

export async function mainAndRescue(bench: Bench): Promise<void> {
  await timed("`up main rescue --kind openclaw` from nothing, both started", () =>
    bench.ok("up", "main", "rescue", "--kind", "openclaw"),
  );
  const main = await bench.status("main");
  const rescue = await bench.status("rescue");
  for (const { name, state, port } of [main, rescue]) {
    assert.equal(state, "running", name);
    assert.deepEqual(await healthz(port), { ok: true, status: "live" });
    const answer = await fetch(`http://127.0.0.1:${port}/startupz`);
    assert.equal(answer.status, 200, `${name} was called started before OpenClaw was`);
  }
  console.log(`ok: main and rescue run, on ${main.port} and ${rescue.port}, and say that they have started`);

  assert.equal(
    (await bench.out("exec", "main", "--", "openclaw", "config", "get", "gateway.port")).trim(),
    String(main.port),
  );
  assert.match(await bench.refused(1, "exec", "main", "--", "openclaw", "gateway", "install"), /external supervisor/);
  assert.equal((await bench.out("open", "main")).trim(), `http://127.0.0.1:${main.port}/`);
  assert.match(await bench.out("exec", "rescue", "--", "openclaw", "logs", "--limit", "2"), /openclaw-rescue-/);
  assert.doesNotMatch(await bench.out("logs", "main", "--lines", "20"), /\[\d+m/);
  console.log("ok: exec acts on its profile with its program, its logs are its own and without colours");

  const cron = ["--name", "nightly report", "--cron", "0 3 * * *", "--session", "isolated", "--message", "report"];
  await bench.ok("exec", "main", "--", "openclaw", "cron", "add", ...cron);
  await timed("idle stop", () => bench.ok("stop", "main"));
  await bench.ok("rename", "main", "prime");
  await timed("boot of one", () => bench.ok("start", "prime"));
  assert.match(await bench.out("exec", "prime", "--", "openclaw", "cron", "list", "--all"), /nightly report/);
  assert.match(await bench.refused(73, "create", "main"), /belongs to profile prime/);
  console.log("ok: an automation outlives a rename, and nobody gets the folder that it lies in");

  await bench.ok("stop", "prime");
  await bench.ok("clone", "prime", "copy");
  await bench.ok("start", "prime", "copy");
  const { paths } = await bench.status("prime");
  const agents = await bench.out("exec", "copy", "--", "openclaw", "agents", "list");
  assert.ok(!agents.includes(paths.profile), `the clone works in the original's folder:\n${agents}`);
  console.log("ok: a clone runs beside its original, in folders of its own");
  await bench.ok("stop", "copy");
  await bench.ok("remove", "copy", "--yes");

  await bench.ok("stop", "rescue");
  const byHand = bench.run("exec", "rescue", "--", "openclaw", "gateway", "run", "--port", String(rescue.port + 130));
  await until("the one by hand is external", async () => (await bench.status("rescue")).state === "external", 120_000);
  const external = await bench.status("rescue");
  assert.equal(external.port, rescue.port + 130);
  for (const verb of [
    ["remove", "rescue", "--yes"],
    ["rename", "rescue", "other"],
    ["clone", "rescue", "other"],
  ]) {
    assert.match(await bench.refused(1, ...verb), new RegExp(`pid ${external.pid}`), verb.join(" "));
  }
  assert.ok(external.pid !== null);
  process.kill(external.pid, "SIGTERM");
  await byHand;
  console.log("ok: one that is run by hand on another port is external, and nothing moves under it");

  const config = readFileSync(rescue.paths.config, "utf8");
  writeFileSync(rescue.paths.config, "{\n  gateway: { mode: local } }");
  const told = await bench.refused(1, "start", "rescue");
  assert.ok(told.includes(`${rescue.paths.config}:2:20: invalid character 'l'`), told);
  assert.equal((await bench.status("rescue")).restarts, 0);
  writeFileSync(rescue.paths.config, config);
  await bench.ok("start", "rescue");
  console.log("ok: a broken config is told with file, line and column, and is not tried again and again");

  await bench.ok("down");
  assert.ok(existsSync(rescue.paths.state));
}
