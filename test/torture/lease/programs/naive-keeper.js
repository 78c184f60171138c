/**
 * The control that most people write: takes the lease, renews it, and stops its gateway when etcd says that the lease is
 * gone. It has no deadline of its own and no second process. <spec as JSON>, as for keeper.js.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

const { argv, lease } = JSON.parse(process.argv[2]);
const { endpoints, key, ttlSeconds } = lease.settings;
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
process.stdout.on("error", () => undefined);
const name = Buffer.from(key).toString("base64");

async function ask(path, question) {
  for (const endpoint of endpoints) {
    try {
      const signal = AbortSignal.timeout(500);
      const answer = await fetch(`${endpoint}/v3/${path}`, { method: "POST", body: JSON.stringify(question), signal });
      return await answer.json();
    } catch {
      // The next one.
    }
  }
  return undefined;
}

const nonce = randomBytes(16).toString("hex");
for (;;) {
  print({ state: "standby", nonce, gateway: null });
  let id;
  let token;
  while (token === undefined) {
    await delay(200);
    id = (await ask("lease/grant", { TTL: String(ttlSeconds) }))?.ID;
    if (id === undefined) continue;
    const claim = await ask("kv/txn", {
      compare: [{ key: name, target: "CREATE", create_revision: "0", result: "EQUAL" }],
      success: [{ request_put: { key: name, value: name, lease: id } }],
    });
    if (claim?.succeeded === true) token = claim.header.revision;
    else await ask("lease/revoke", { ID: id });
  }
  const env = { ...process.env, LOCKKEEPER_RUN: nonce, LOCKKEEPER_LEASE_TOKEN: token };
  const gateway = spawn(argv[0], argv.slice(1), { detached: true, stdio: "ignore", env });
  print({ state: "running", nonce, gateway: { pid: gateway.pid }, lease: { token } });
  for (;;) {
    await delay((ttlSeconds * 1_000) / 3);
    const answer = await ask("lease/keepalive", { ID: id });
    if (answer !== undefined && answer.result?.TTL === undefined) break;
  }
  gateway.kill("SIGKILL");
}
