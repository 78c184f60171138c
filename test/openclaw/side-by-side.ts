/** Two real gateways beside each other: start, health, ports, stop, kills, a taken port. */
import assert from "node:assert/strict";
import { holdPort } from "../harness/ports.ts";
import { figures, healthz, QUIET, timed } from "./bench.ts";
import type { Bench } from "./bench.ts";

export async function sideBySide(bench: Bench): Promise<void> {
  const { command } = bench.installation;
  for (const name of ["dev", "prod"]) {
    const variables = QUIET.flatMap((variable) => ["--env", variable]);
    await bench.create(name, [...variables, "--", ...command]);
  }
  await timed("boot of the first", () => bench.ok("start", "dev"));
  await timed("boot of the second beside it", () => bench.ok("start", "prod"));
  const dev = await bench.status("dev");
  const prod = await bench.status("prod");
  for (const { name, state, health, port, pid } of [dev, prod]) {
    assert.deepEqual({ name, state, health }, { name, state: "running", health: "ok" });
    assert.deepEqual(await healthz(port), { ok: true, status: "live" });
    figures.push(`memory of ${name}: ${await bench.memory(pid)}`);
  }
  assert.ok(Math.abs(dev.port - prod.port) >= 120, `blocks overlap: ${dev.port} ${prod.port}`);
  console.log(`ok: both run, on ${dev.port} and ${prod.port}, and answer /healthz`);

  await bench.ok("ports", "--check");
  console.log("ok: no conflict of ports, derived ones included");

  await timed("stop", () => bench.ok("stop", "dev"));
  assert.equal((await bench.status("dev")).state, "stopped");
  assert.deepEqual(await bench.gateways("dev"), []);
  assert.equal((await bench.status("prod")).pid, prod.pid);
  console.log("ok: one stopped whole, the other untouched");

  await bench.ok("start", "dev");
  await bench.killAndAwait("dev", "SIGKILL of the gateway, until it runs again", ["pid"], async () => undefined);
  console.log("ok: a killed gateway is started again by its keeper");
  await bench.killAndAwait("dev", "SIGKILL of both, then start", ["keeperPid", "pid"], () => bench.ok("start", "dev"));
  console.log("ok: after both were killed, start works at once");
  await bench.killAndAwait("dev", "SIGKILL of the keeper, then restart", ["keeperPid"], async () => {
    assert.equal((await bench.status("dev")).state, "orphaned");
    await bench.ok("restart", "dev");
  });
  console.log("ok: an orphan is put under a keeper again");

  await bench.ok("stop", "dev");
  const stranger = await holdPort(dev.port);
  const refused = await bench.run("start", "dev");
  assert.equal((await bench.status("dev")).state, "blocked");
  await stranger.release();
  assert.equal(refused.status, 78, refused.stderr);
  assert.match(refused.stderr, new RegExp(`already listening on ws://127\\.0\\.0\\.1:${dev.port}`));
  assert.match(refused.stderr, new RegExp(`pid ${process.pid}`));
  assert.deepEqual(await bench.gateways("dev"), []);
  console.log("ok: a taken port is refused with its holder (exit 78), nothing is spawned");

  await bench.ok("start", "dev");
  await bench.ok("down");
  const states = (await bench.list()).map(({ name, state }) => `${name} ${state}`);
  assert.deepEqual(states, ["dev stopped", "prod stopped"]);
  console.log("ok: both stopped");
}
