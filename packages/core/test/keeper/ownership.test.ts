/**
 * A keeper with a lease, over a real etcd: which host may run, which waits, and how a gateway ends when its lease is
 * over.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { EtcdCluster } from "../../../../test/harness/etcd-cluster.ts";
import { startEtcd, whyNoEtcd } from "../../../../test/harness/etcd-cluster.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { until } from "../../../../test/harness/until.ts";
import { identifyProcess } from "../../src/host/process-identity.ts";
import { findRunProcesses } from "../../src/host/process-tree.ts";
import { EtcdGateway } from "../../src/lease/etcd-gateway.ts";
import { EtcdStore } from "../../src/lease/etcd-store.ts";
import type { LeaseSettings } from "../../src/lease/lease-settings.ts";
import { readHistory } from "../../src/keeper/history.ts";
import type { KeeperLease, KeeperSpec } from "../../src/keeper/keeper-spec.ts";
import type { RunRecord } from "../../src/keeper/run-record.ts";
import { KeeperScene } from "./kept-gateway.ts";

const SENTINEL = fileURLToPath(new URL("../lease/fixtures/sentinel.js", import.meta.url));

describe.skipIf(whyNoEtcd() !== undefined)("a keeper with a lease", () => {
  let etcd: EtcdCluster;
  let store: EtcdStore;
  let scene: KeeperScene;
  let keys = 0;
  let settings: LeaseSettings;

  beforeAll(async () => {
    etcd = await startEtcd();
    store = new EtcdStore(new EtcdGateway({ endpoints: etcd.endpoints, credentials: {}, attemptMs: 5_000 }));
  });
  afterAll(() => etcd.end());
  beforeEach(() => {
    scene = new KeeperScene();
    // No lease ends by itself meanwhile, however late a renewal comes.
    settings = { engine: "etcd", endpoints: etcd.endpoints, key: `k/${++keys}`, ttlSeconds: 30, standby: true };
  });
  afterEach(() => scene.end());

  /** Returns what a host of that name needs; each host has a home of its own. */
  async function specOf(host: string, lease: Partial<KeeperLease> = {}, program = "healthy.js"): Promise<KeeperSpec> {
    const home = join(scene.home, host);
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const port = await freePort();
    return scene.spec(program, [port], {
      port,
      lockDir: join(home, "lock"),
      configPath: join(home, "gateway.json"),
      logPath: join(home, "logs", "gateway.log"),
      eventsPath: join(home, "logs", "events.jsonl"),
      runRecordPath: join(home, "run", "dev.json"),
      lease: {
        settings,
        sentinelArgv: [process.execPath, SENTINEL],
        tokenPath: join(home, "token"),
        whenHeld: "wait",
        whenUnavailable: "fail",
        ...lease,
      },
    });
  }

  /** Makes the lease short, where its end is awaited: no shorter than a busy machine needs to renew it. */
  const shorten = (): void => {
    settings = { ...settings, ttlSeconds: 5 };
  };

  const freeKey = async (): Promise<void> =>
    until("the key is free", async () => (await store.read(settings.key)) === undefined);

  test("runs, passes the token to its gateway, and gives the lease back when nothing is left", async () => {
    const spec = await specOf("a", {}, "shows-start.js");
    const a = scene.keep({ ...spec, health: { kind: "none" } });
    const { lease } = await a.until("running");
    const held = await store.read(settings.key);
    expect(lease).toMatchObject({ token: held?.revision, owner: held?.holder?.host });
    await until("the gateway has told its environment", () => a.readLog().includes("LOCKKEEPER_LEASE_TOKEN"));
    expect(a.readLog()).toContain(lease?.token ?? "no token");
    const { outcome, detail } = await a.stop();
    expect({ outcome, detail }).toEqual({ outcome: "stopped", detail: expect.stringContaining("given back") });
    expect(await store.read(settings.key)).toBeUndefined();
    const reasons = readHistory(spec.eventsPath).map(({ reason }) => reason ?? "");
    expect(reasons.some((reason) => reason.includes(`owns the lease ${settings.key}`))).toBe(true);
  });

  test("stands by while another host owns the lease, names that host, and takes over when it stops", async () => {
    const a = scene.keep(await specOf("a"));
    const first = await a.until("running");
    const b = scene.keep(await specOf("b"));
    const waiting = await b.until("standby");
    expect(waiting).toMatchObject({
      gateway: null,
      lease: { owner: first.lease?.owner, token: null },
      reason: expect.stringMatching(/ owns it since \d\d:\d\d UTC$/u),
    });
    await a.stop();
    const second = await b.until("running");
    expect(BigInt(second.lease?.token ?? 0)).toBeGreaterThan(BigInt(first.lease?.token ?? 0));
    expect((await b.stop()).outcome).toBe("stopped");
  });

  test("can be stopped while it stands by, and leaves the owner alone", async () => {
    const a = scene.keep(await specOf("a"));
    await a.until("running");
    const b = scene.keep(await specOf("b"));
    await b.until("standby");
    expect((await b.stop()).outcome).toBe("stopped");
    expect(await store.read(settings.key)).toBeDefined();
  });

  test("is refused when it must not wait, and the refusal names the owner", async () => {
    const a = scene.keep(await specOf("a"));
    await a.until("running");
    const b = scene.keep(await specOf("b", { whenHeld: "fail" }));
    expect(await b.outcome).toMatchObject({
      outcome: "failed",
      record: { code: "LEASE_HELD", reason: expect.stringContaining("dev is owned by ") },
    });
  });

  test("starts nothing when etcd does not answer; with permission to wait it waits", async () => {
    settings = { ...settings, endpoints: [`http://127.0.0.1:${await freePort()}`] };
    const a = scene.keep(await specOf("a"));
    expect(await a.outcome).toMatchObject({ outcome: "failed", record: { code: "LEASE_UNAVAILABLE" } });
    const b = scene.keep(await specOf("b", { whenUnavailable: "wait" }));
    expect(await b.until("standby")).toMatchObject({ reason: expect.stringContaining("ECONNREFUSED"), lease: null });
    expect((await b.stop()).outcome).toBe("stopped");
  });

  test("starts nothing without a sentinel, and leaves no lease behind", async () => {
    const a = scene.keep(await specOf("a", { sentinelArgv: ["/nonexistent/sentinel"] }));
    expect(await a.outcome).toMatchObject({ outcome: "failed", record: { code: "LEASE_UNAVAILABLE" } });
    expect(await store.read(settings.key)).toBeUndefined();
  });

  test("starts nothing when the state has seen a later token", async () => {
    const spec = await specOf("a");
    writeFileSync(spec.lease?.tokenPath ?? "", JSON.stringify({ key: settings.key, token: "9".repeat(18) }));
    const a = scene.keep(spec);
    expect(await a.outcome).toMatchObject({
      outcome: "failed",
      record: { code: "LEASE_UNAVAILABLE", reason: expect.stringContaining("9".repeat(18)) },
    });
    expect(await store.read(settings.key)).toBeUndefined();
    writeFileSync(spec.lease?.tokenPath ?? "", "{half");
    const again = scene.keep(spec);
    await again.until("running");
    expect(readFileSync(spec.lease?.tokenPath ?? "", "utf8")).toContain(settings.key);
  });

  test("starts nothing when its endpoints form no cluster, or another cluster than the one that the state was used with", async () => {
    const other = await startEtcd();
    const [ours, theirs] = [etcd.endpoints, other.endpoints];
    settings = { ...settings, endpoints: [...ours, ...theirs] };
    const both = scene.keep(await specOf("a", { whenUnavailable: "wait" }));
    expect(await both.outcome).toMatchObject({
      record: { code: "LEASE_UNAVAILABLE", reason: expect.stringContaining("do not belong to one cluster") },
    });
    settings = { ...settings, endpoints: ours };
    const spec = await specOf("b");
    const first = scene.keep(spec);
    await first.until("running");
    await first.stop();
    settings = { ...settings, endpoints: theirs };
    const second = scene.keep({ ...(await specOf("c")), lease: { ...leaseOf(spec), settings } });
    expect(await second.outcome).toMatchObject({
      record: { code: "LEASE_UNAVAILABLE", reason: expect.stringContaining("was last used in the etcd cluster") },
    });
    await other.end();
  });

  test("ends its gateway when it loses the lease, stands by, and returns", async () => {
    const a = scene.keep(await specOf("a", {}, "ignores-signals.js"));
    const first = await a.until("running");
    await store.release((await store.read(settings.key))?.leaseId ?? "");
    await a.until((record) => record.state === "standby" && record.reason?.includes("the lease was lost") === true);
    expect(identifyProcess(first.gateway?.pid ?? 0)).toBeUndefined();
    const back = (record: RunRecord): boolean =>
      record.state === "running" && record.lease?.token !== first.lease?.token;
    await a.until(back);
    a.force();
  });

  test("ends its gateway before the lease is over when etcd is gone, and says so", async () => {
    const own = await startEtcd();
    settings = { ...settings, endpoints: own.endpoints };
    shorten();
    const a = scene.keep(await specOf("a", { whenHeld: "fail" }));
    const { nonce } = await a.until("running");
    await own.end();
    await a.until((record) => record.reason?.startsWith("the lease is not renewed: ") === true);
    expect(await a.outcome).toMatchObject({ outcome: "failed", record: { code: "LEASE_UNAVAILABLE" } });
    expect(findRunProcesses({ leader: null, nonce })).toEqual([]);
  });

  test("keeps the lease through a long drain", async () => {
    shorten();
    const spec = await specOf("a", {}, "ignores-signals.js");
    // Longer than the lease lasts without a renewal.
    const a = scene.keep({ ...spec, stopTimeoutMs: 7_000 });
    await a.until("running");
    const leaseId = (await store.read(settings.key))?.leaseId;
    const outcome = a.stop();
    const heldAtMs: number[] = [];
    let isOver = false;
    void outcome.then(() => (isOver = true));
    await until("stopped", async () => {
      const held = await store.read(settings.key);
      if (held !== undefined) expect(held.leaseId).toBe(leaseId);
      if (held !== undefined) heldAtMs.push(performance.now());
      return isOver;
    });
    expect((heldAtMs.at(-1) ?? 0) - (heldAtMs[0] ?? 0)).toBeGreaterThan(5_000);
    await freeKey();
  });

  test("leaves a gateway when it is killed; the sentinel ends it, and the next keeper on this host need not wait", async () => {
    shorten();
    const spec = await specOf("a", {}, "ignores-signals.js");
    const { keeper, record } = await scene.keepElsewhere(spec);
    keeper.kill("SIGKILL");
    const { nonce } = record;
    await until("the gateway is gone", () => findRunProcesses({ leader: null, nonce }).length === 0);
    const next = scene.keep(spec);
    const { lease } = await next.until("running");
    expect(BigInt(lease?.token ?? 0)).toBeGreaterThan(BigInt(record.lease?.token ?? 0));
    next.force();
  });

  test("waits for an orphan to end under a service manager and does not adopt it: nothing renews its lease", async () => {
    shorten();
    const spec = await specOf("a", {}, "ignores-signals.js");
    const { keeper, record } = await scene.keepElsewhere(spec);
    keeper.kill("SIGKILL");
    await until("its keeper is gone", () => identifyProcess(record.keeper?.pid ?? 0) === undefined);
    const next = scene.keep({ ...spec, supervised: true, lockTimeoutMs: 20_000 });
    const { lease } = await next.until((seen) => seen.state === "running" && seen.nonce !== record.nonce);
    expect(BigInt(lease?.token ?? 0)).toBeGreaterThan(BigInt(record.lease?.token ?? 0));
    expect(findRunProcesses({ leader: null, nonce: record.nonce })).toEqual([]);
    next.force();
  });

  test("cannot keep its gateway past the lease when a signal stopped it, and notices when it wakes", async () => {
    shorten();
    const { keeper, record } = await scene.keepElsewhere(await specOf("a", {}, "ignores-signals.js"));
    keeper.kill("SIGSTOP");
    const { nonce } = record;
    await until("the gateway is gone", () => findRunProcesses({ leader: null, nonce }).length === 0);
    await freeKey();
    const b = scene.keep(await specOf("b"));
    await b.until("running");
    keeper.kill("SIGCONT");
    const spec = JSON.parse(keeper.spawnargs.at(-1) ?? "{}") as KeeperSpec;
    const published = (): RunRecord => JSON.parse(readFileSync(spec.runRecordPath, "utf8")) as RunRecord;
    await until("it stands by", () => published().state === "standby" && published().lease?.owner !== undefined);
    expect(findRunProcesses({ leader: null, nonce })).toEqual([]);
    keeper.kill("SIGKILL");
  });

  test("has no lease, no sentinel and no lease state unless the profile asks for one", async () => {
    const { lease, ...spec } = await specOf("a");
    const a = scene.keep(spec);
    const record = await a.until("running");
    expect(record).not.toHaveProperty("lease");
    expect(existsSync(lease?.tokenPath ?? "")).toBe(false);
    expect((await a.stop()).detail).toBe("stopped on request");
  });
});

function leaseOf({ lease }: KeeperSpec): KeeperLease {
  if (lease === undefined) throw new Error("it has no lease");
  return lease;
}
