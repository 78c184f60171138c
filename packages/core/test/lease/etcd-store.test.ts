import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { EtcdCluster } from "../../../../test/harness/etcd-cluster.ts";
import { startEtcd, whyNoEtcd } from "../../../../test/harness/etcd-cluster.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { until } from "../../../../test/harness/until.ts";
import { readEtcdCredentials } from "../../src/lease/etcd-credentials.ts";
import type { EtcdCredentials } from "../../src/lease/etcd-credentials.ts";
import { EtcdGateway } from "../../src/lease/etcd-gateway.ts";
import { EtcdStore } from "../../src/lease/etcd-store.ts";
import type { LeaseHolder } from "../../src/lease/lease-store.ts";

const folder = mkdtempSync(join(tmpdir(), "lk-lease-"));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

function storeOf(endpoints: readonly string[], credentials: EtcdCredentials = {}, attemptMs = 30_000): EtcdStore {
  return new EtcdStore(new EtcdGateway({ endpoints, credentials, attemptMs }));
}

function holderOf(host: string): LeaseHolder {
  return {
    host,
    profile: "dev",
    pid: 1,
    nonce: `of-${host}`,
    since: "2026-01-01T00:00:00.000Z",
    bootId: null,
    lockId: null,
  };
}

function secretFile(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value), { mode: 0o600 });
  return path;
}

const noEtcd = whyNoEtcd() !== undefined;

describe.skipIf(noEtcd)("a lease in etcd", () => {
  let etcd: EtcdCluster;
  let store: EtcdStore;
  let keys = 0;
  const freshKey = (): string => `lockkeeper/käy/${++keys}`;

  beforeAll(async () => {
    etcd = await startEtcd();
    store = storeOf(etcd.endpoints);
  });
  afterAll(() => etcd.end());

  test("has one owner, and the next owner's token is greater", async () => {
    const key = freshKey();
    expect(await store.read(key)).toBeUndefined();
    const [a, b] = [await store.grant(30), await store.grant(30)];
    const first = await store.claim(key, holderOf("a"), a);
    expect(first).toEqual({ claimed: true, token: expect.stringMatching(/^\d+$/u) });
    expect(await store.claim(key, holderOf("b"), b)).toMatchObject({
      claimed: false,
      by: { holder: holderOf("a"), leaseId: a },
    });
    await store.release(a);
    await store.release(a);
    const second = await store.claim(key, holderOf("b"), b);
    expect(second.claimed).toBe(true);
    if (!first.claimed || !second.claimed) return;
    expect(BigInt(second.token)).toBeGreaterThan(BigInt(first.token));
    expect(await store.read(key)).toEqual({ holder: holderOf("b"), leaseId: b, revision: second.token });
  });

  test("is ours when the first claim succeeded but its answer was lost", async () => {
    const key = freshKey();
    const lease = await store.grant(30);
    const first = await store.claim(key, holderOf("a"), lease);
    expect(await store.claim(key, holderOf("a"), lease)).toEqual(first);
  });

  test("goes from an owner that is known to be dead to the next, unless another was faster", async () => {
    const key = freshKey();
    const [a, b, c] = [await store.grant(30), await store.grant(30), await store.grant(30)];
    await store.claim(key, holderOf("a"), a);
    const seen = await store.read(key);
    expect(await store.claim(key, holderOf("b"), b, seen?.revision)).toMatchObject({ claimed: true });
    expect(await store.claim(key, holderOf("c"), c, seen?.revision)).toMatchObject({ by: { leaseId: b } });
    await store.release(a);
    expect(await store.read(key)).toMatchObject({ leaseId: b });
  });

  test("lasts as long as it is renewed, and is gone afterwards", async () => {
    const key = freshKey();
    const lease = await store.grant(5);
    await store.claim(key, holderOf("a"), lease);
    expect(await store.renew(lease)).toBe("renewed");
    expect(await store.timeLeft(lease)).toBeLessThanOrEqual(5_000);
    await until("the key is free", async () => (await store.read(key)) === undefined);
    expect(await store.renew(lease)).toBe("gone");
    expect(await store.timeLeft(lease)).toBeUndefined();
    expect(await store.claim(key, holderOf("a"), lease)).toEqual({ claimed: false, by: null });
    await store.release(lease);
  });

  test("shows an entry that somebody else wrote there as foreign", async () => {
    const key = freshKey();
    const forged = { ...holderOf("a"), host: "\u001b[2Ja" };
    for (const text of [
      "hello",
      "null",
      JSON.stringify(forged),
      JSON.stringify({ ...forged, host: "h".repeat(300) }),
    ]) {
      await fetch(`${etcd.endpoints[0]}/v3/kv/put`, {
        method: "POST",
        body: JSON.stringify({
          key: Buffer.from(key).toString("base64"),
          value: Buffer.from(text).toString("base64"),
        }),
      });
      expect(await store.read(key), text).toMatchObject({ holder: null, leaseId: null });
    }
    expect(await store.claim(key, holderOf("a"), await store.grant(30))).toMatchObject({ by: { holder: null } });
  });

  test("is found when other endpoints are dead, silent or not etcd", async () => {
    const silent = await holdSilentPort();
    const web = await holdWebPort();
    const dead = `http://127.0.0.1:${await freePort()}`;
    const mixed = storeOf([dead, silent.url, web.url, ...etcd.endpoints], {}, 5_000);
    expect(await mixed.read(freshKey())).toBeUndefined();
    const none = storeOf([dead, silent.url, web.url], {}, 2_000);
    await expect(none.read("k")).rejects.toMatchObject({
      code: "LEASE_UNAVAILABLE",
      kind: "silent",
      evidence: [
        expect.stringContaining("ECONNREFUSED"),
        expect.stringContaining("no answer within 2000 ms"),
        expect.stringContaining("is this its client port?"),
      ],
    });
    await silent.end();
    await web.end();
  });

  test("is not looked for in another cluster than the one that answered first", async () => {
    const other = await startEtcd();
    const [ours = ""] = etcd.endpoints;
    const [theirs = ""] = other.endpoints;
    const proxied = await holdForwardedPort(ours);
    const mixed = storeOf([proxied.url, theirs]);
    expect(await mixed.read(freshKey())).toBeUndefined();
    await proxied.end();
    await expect(mixed.read(freshKey())).rejects.toMatchObject({
      evidence: [expect.stringContaining("ECONNREFUSED"), `${theirs}: it belongs to another cluster`],
    });
    await other.end();
  });

  test("is given up when its caller aborts", async () => {
    const silent = await holdSilentPort();
    const asked = storeOf([silent.url], {}, 60_000).read("k", AbortSignal.timeout(50));
    await expect(asked).rejects.toMatchObject({ code: "LEASE_UNAVAILABLE" });
    await silent.end();
  });
});

describe.skipIf(noEtcd)("a lease in an etcd with users", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd();
    const ctl = (...args: readonly string[]): void => {
      const { status, stderr } = spawnSync("etcdctl", [`--endpoints=${etcd.endpoints[0]}`, ...args], {
        env: { ...process.env, ETCDCTL_API: "3" },
      });
      if (status !== 0) throw new Error(`etcdctl ${args.join(" ")}: ${String(stderr)}`);
    };
    ctl("user", "add", "root:rootpw");
    ctl("user", "grant-role", "root", "root");
    ctl("role", "add", "lk");
    ctl("role", "grant-permission", "lk", "--prefix=true", "readwrite", "lockkeeper/");
    ctl("user", "add", "keeper:se cret");
    ctl("user", "grant-role", "keeper", "lk");
    ctl("auth", "enable");
  });
  afterAll(() => etcd.end());

  test("is taken by a user from a file, within that user's own keys", async () => {
    const credentials = readEtcdCredentials(secretFile("keeper.json", { user: "keeper", password: "se cret" }));
    const store = storeOf(etcd.endpoints, credentials);
    const lease = await store.grant(30);
    expect(await store.claim("lockkeeper/a", holderOf("a"), lease)).toMatchObject({ claimed: true });
    expect(await store.renew(lease)).toBe("renewed");
    expect(await store.timeLeft(lease)).toBeGreaterThan(0);
    await store.release(lease);
    await expect(store.claim("other/a", holderOf("a"), await store.grant(30))).rejects.toMatchObject({
      code: "LEASE_UNAVAILABLE",
      kind: "refused",
      message: expect.stringContaining("the user keeper: etcdserver: permission denied"),
    });
  });

  test("is refused without a user and with a wrong password, and the password is not repeated", async () => {
    await expect(storeOf(etcd.endpoints).read("lockkeeper/a")).rejects.toMatchObject({ kind: "refused" });
    const wrong = storeOf(etcd.endpoints, { user: { name: "keeper", password: "hunter2" } });
    await expect(wrong.read("lockkeeper/a")).rejects.toMatchObject({
      kind: "refused",
      message: expect.not.stringContaining("hunter2"),
    });
  });

  test("continues when the server has forgotten its access token", async () => {
    const store = storeOf(etcd.endpoints, { user: { name: "keeper", password: "se cret" } });
    await store.read("lockkeeper/a");
    etcd.signal(0, "SIGKILL");
    await etcd.restart(0);
    await etcd.awaitHealth();
    expect(await store.read("lockkeeper/a")).toBeUndefined();
  });
});

describe.skipIf(noEtcd || spawnSync("openssl", ["version"]).status !== 0)("a lease over TLS", () => {
  test("is taken with the right authority and certificate, and with no other", async () => {
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test-ca");
    for (const name of ["server", "client"]) {
      openssl("req", ...newKey.slice(0, 5), "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
      const usage = "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
      writeFileSync(join(folder, "ext"), usage);
      const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext"];
      openssl("x509", "-req", "-in", `${name}.csr`, ...signed, "-out", `${name}.pem`);
      chmodSync(join(folder, `${name}.key`), 0o600);
    }
    const etcd = await startEtcd({
      tls: { cert: join(folder, "server.pem"), key: join(folder, "server.key"), ca: join(folder, "ca.pem") },
    });
    try {
      const good = readEtcdCredentials(secretFile("tls.json", { ca: "ca.pem", cert: "client.pem", key: "client.key" }));
      const store = storeOf(etcd.endpoints, good);
      expect(await store.claim("k", holderOf("a"), await store.grant(30))).toMatchObject({ claimed: true });
      await expect(storeOf(etcd.endpoints).read("k")).rejects.toMatchObject({
        message: expect.stringMatching(/certificate/u),
      });
      const { ca } = good;
      const nameless = storeOf(etcd.endpoints, ca === undefined ? {} : { ca });
      await expect(nameless.read("k")).rejects.toMatchObject({ code: "LEASE_UNAVAILABLE" });
    } finally {
      await etcd.end();
    }
  });
});

describe("the file of credentials", () => {
  test("is refused when others can read it, and when it is a link, missing or not JSON; it is never quoted", () => {
    const open = secretFile("open.json", { user: "u", password: "hunter2" });
    chmodSync(open, 0o640);
    expect(() => readEtcdCredentials(open)).toThrow(expect.objectContaining({ code: "UNSAFE_PATH" }));
    expect(() => readEtcdCredentials(join(folder, "missing.json"))).toThrow(/missing/u);
    const spoiled: readonly unknown[] = [
      "{hunter2",
      "[]",
      { user: "u" },
      { user: "u", password: 5 },
      { user: "u", password: "hunter2", token: "hunter2" },
      { cert: "client.pem" },
    ];
    for (const [index, value] of spoiled.entries()) {
      const read = (): unknown => readEtcdCredentials(secretFile(`spoiled${index}.json`, value));
      expect(read).toThrow(expect.objectContaining({ code: "CONFIG_DAMAGED" }));
      expect(read).not.toThrow(/hunter2/u);
    }
  });
});

function openssl(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { cwd: folder });
  if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${String(stderr)}`);
}

interface HeldUrl {
  readonly url: string;
  readonly end: () => Promise<void>;
}

/** Accepts connections and never answers. */
async function holdSilentPort(): Promise<HeldUrl> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
  });
  const { url, end } = await listen(server);
  return {
    url,
    end: () => {
      for (const socket of sockets) socket.destroy();
      return end();
    },
  };
}

/** Forwards everything to `target`, until it is ended. */
function holdForwardedPort(target: string): Promise<HeldUrl> {
  return listen(
    createServer((near) => {
      const far = connect(Number(new URL(target).port), "127.0.0.1");
      near.on("error", () => far.destroy()).pipe(far);
      far.on("error", () => near.destroy()).pipe(near);
    }),
  );
}

/** Some other HTTP server. */
function holdWebPort(): Promise<HeldUrl> {
  return listen(createHttpServer((_request, response) => response.end("<html>")));
}

async function listen(server: Server): Promise<HeldUrl> {
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    end: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
