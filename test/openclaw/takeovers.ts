/**
 * Gateways that a person or a unit runs come under a keeper, or stay as they were: the process, its variables, its
 * profile.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { identifyProcess } from "@lockkeeper/core/internal";
import { until } from "../harness/until.ts";
import { timed, writeProgram } from "./bench.ts";
import type { Bench } from "./bench.ts";

const PORT = 26_700;

export async function takeovers(bench: Bench): Promise<void> {
  const state = path.join(bench.user, ".openclaw-hand");
  await mkdir(state);
  const settings = { mode: "local", port: PORT, bind: "loopback", auth: { mode: "token", token: "${HAND_TOKEN}" } };
  writeFileSync(path.join(state, "openclaw.json"), JSON.stringify({ gateway: settings }));
  const variables = { HAND_TOKEN: "a-token-of-mine", ANTHROPIC_API_KEY: "sk-nobody" };
  await bench.byHand(PORT, ["--profile", "hand", "gateway", "run"], variables);
  const imported = await bench.run("import", "openclaw", "hand");
  assert.match(imported.stderr, /ours would not have: ANTHROPIC_API_KEY, HAND_TOKEN/);
  const old = await bench.status("hand");
  assert.equal(old.state, "external");

  const { PATH: _, ...bare } = { PATH: "" };
  const unfit = await bench.runWith(
    { ...bare, PATH: path.dirname(process.execPath) + ":/usr/bin:/bin" },
    "takeover",
    "hand",
    "--yes",
  );
  assert.equal(unfit.status, 1, unfit.stderr);
  assert.match(unfit.stderr, /command not found: openclaw/);
  assert.match(
    await bench.refused(2, "takeover", "hand", "--yes"),
    /names variables that the gateway will not have: HAND_TOKEN/,
  );
  assert.equal((await bench.status("hand")).pid, old.pid);
  console.log("ok: what ours would be refused for, or would lack, is told while the old one serves");

  const broken = path.join(bench.user, "broken");
  writeProgram(path.join(broken, "openclaw"), "exit 1");
  const back = await timed("a takeover that goes back", () =>
    bench.runWith({ PATH: `${broken}:/usr/bin:/bin` }, "takeover", "hand", "--confirm", "hand"),
  );
  assert.equal(back.status, 1, back.stderr);
  assert.match(back.stderr, /went back: the old gateway runs again/);
  const again = await bench.status("hand");
  assert.equal(again.state, "external");
  assert.notEqual(again.pid, old.pid);
  const environ = readFileSync(`/proc/${again.pid}/environ`, "utf8");
  for (const [name, value] of Object.entries(variables)) assert.ok(environ.includes(`${name}=${value}\0`), name);
  console.log("ok: a takeover that fails brings the very gateway back, of its profile and with its variables");

  const file = path.join(bench.user, "hand.env");
  writeFileSync(file, "HAND_TOKEN=a-token-of-mine\nANTHROPIC_API_KEY=sk-nobody\n", { mode: 0o600 });
  await bench.ok("edit", "hand", "--env-file", file);
  await timed("takeover of a process", () => bench.ok("takeover", "hand", "--yes"));
  const ours = await bench.status("hand");
  assert.equal(ours.state, "running");
  assert.equal(ours.port, PORT);
  assert.equal((await bench.out("token", "hand")).trim(), "a-token-of-mine");
  console.log("ok: a process is taken over with its variables, on its port");
  await bench.ok("stop", "hand");

  await takeOverUnit(bench, state);
}

/** `systemctl` is a stand-in that reports and does for one unit what systemd would. */
async function takeOverUnit(bench: Bench, state: string): Promise<void> {
  const unit = "openclaw-gateway-hand.service";
  const variables = path.join(state, "gateway.systemd.env");
  writeFileSync(variables, "HAND_TOKEN=a-token-of-mine\n", { mode: 0o600 });
  writeProgram(
    path.join(bench.user, ".config/systemd/user", unit),
    `[Service]\nExecStart=${path.join(bench.user, "bin/openclaw")} --profile hand gateway run --bind loopback\nEnvironmentFile=-${variables}`,
  );
  await bench.ok("remove", "hand", "--yes");
  const pid = await bench.byHand(PORT, ["--profile", "hand", "gateway", "run", "--bind", "loopback"], {
    HAND_TOKEN: "a-token-of-mine",
  });
  const asked = path.join(bench.user, "asked");
  writeProgram(
    path.join(bench.user, "bin/systemctl"),
    `echo "$*" >> '${asked}'
case "$*" in
  *"show --property=MainPID"*) echo ${pid} ;;
  *is-enabled*) echo enabled ;;
  *"stop --no-block"*) kill ${pid} ;;
esac`,
  );
  await bench.ok("import", "openclaw", "hand");
  await timed("takeover of a unit", () => bench.ok("takeover", "hand", "--yes"));
  await until("the old one is gone", () => identifyProcess(pid) === undefined);
  const { state: now, pid: ours } = await bench.status("hand");
  assert.equal(now, "running");
  assert.match(readFileSync(asked, "utf8"), new RegExp(`--user .*disable ${unit}`));
  assert.ok(readFileSync(`/proc/${ours}/environ`, "utf8").includes("HAND_TOKEN=a-token-of-mine\0"));
  console.log("ok: a unit is taken over with its arguments and its file of variables, and does not come back");
  await bench.ok("down");
}
