/** Two homes as two hosts, one real etcd: what people see of a lease, through the command line alone. */
import { describe, expect, test } from "vitest";

import type { EtcdCluster } from "../harness/etcd-cluster.ts";
import { startEtcd, whyNoEtcd } from "../harness/etcd-cluster.ts";
import { freePort } from "../harness/ports.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import { isAlive, killAndWait } from "../supervision/scratch-profiles.ts";

interface Status {
  readonly state: string;
  readonly pid: number | null;
  readonly keeperPid: number | null;
  readonly lease: {
    readonly key: string;
    readonly owner: string | null;
    readonly token: string | null;
    readonly timeLeftMs: number | null;
    readonly unknown: string | null;
  } | null;
}

async function statusOf({ json }: ScratchHome): Promise<Status> {
  const [status] = (await json(["list"])) as readonly Status[];
  if (status === undefined) throw new Error("there is no profile");
  return status;
}

async function inTwoHomes(use: (a: ScratchHome, b: ScratchHome, etcd: EtcdCluster) => Promise<void>): Promise<void> {
  const etcd = await startEtcd();
  try {
    await withScratchHome((a) =>
      withScratchHome(async (b) => {
        const hosts = etcd.endpoints.map((url) => url.replace("http://", "")).join(",");
        const lease = `etcd://${hosts}/lk/prod?ttl=10s`;
        for (const home of [a, b]) await home.json(["create", "prod", "--lease", lease]);
        await use(a, b, etcd);
      }),
    );
  } finally {
    await etcd.end();
  }
}

describe.skipIf(whyNoEtcd() !== undefined)("a profile with a lease", () => {
  test("runs on one host, stands by on the other, is handed over, and every command says so", async () => {
    await inTwoHomes(async (a, b) => {
      expect((await a.run(["start", "prod"])).status).toBe(0);
      // How long the lease lasts is shown when etcd answers within a moment, which a busy machine may miss.
      const waiting = await b.run(["start", "prod"]);
      expect(waiting.status).toBe(0);
      expect(waiting.stdout).toMatch(
        /^prod: standby; \S+ owns it since \d\d:\d\d UTC(?: \(lease runs out in \d+ s\))?\n$/u,
      );

      const refused = await b.run(["start", "prod", "--no-standby"]);
      expect(refused.status).toBe(78);
      // A list waits for etcd only for a moment, which a busy machine may miss.
      await until("etcd answers in time", async () => (await statusOf(a)).lease?.unknown === null);
      const owner = await statusOf(a);
      expect(owner).toMatchObject({ state: "running", lease: { key: "lk/prod" } });
      expect(owner.lease?.token).toMatch(/^\d+$/u);
      expect(await statusOf(b)).toMatchObject({ state: "standby", pid: null, lease: { owner: owner.lease?.owner } });
      expect((await b.run(["status", "prod"])).status).toBe(3);
      await until("status shows how long the lease lasts", async () =>
        /lease +lk\/prod: \S+ owns it since .*runs out in \d+s/u.test((await b.run(["status", "prod"])).stdout),
      );
      expect((await b.run(["why", "prod"])).stdout).toMatch(/lk\/prod: \S+ owns it/u);
      await until("list shows it too", async () => /OWNER[^]*, \d+s/u.test((await a.run(["list"])).stdout));

      expect((await a.run(["stop", "prod"])).status).toBe(0);
      await until("the other host has taken over", async () => (await statusOf(b)).state === "running");
      expect(BigInt((await statusOf(b)).lease?.token ?? 0)).toBeGreaterThan(BigInt(owner.lease?.token ?? 0));
      expect((await a.run(["start", "prod"])).stdout).toContain("standby");
      expect((await a.run(["restart", "prod"])).stdout).toMatch(/^prod: standby; /u);
      expect((await b.run(["doctor"])).stdout).toContain("the lease of prod has one endpoint");
    });
  });

  test("is refused where it must not wait: exit 78, the owner named", async () => {
    await inTwoHomes(async (a, b) => {
      expect((await a.run(["start", "prod"])).status).toBe(0);
      for (const verb of ["start", "run"]) {
        const { status, stderr } = await b.run([verb, "prod", "--no-standby"]);
        expect({ verb, status }).toEqual({ verb, status: 78 });
        expect(stderr).toContain("prod is owned by ");
      }
      expect((await b.run(["start", "prod", "--no-standby", "--json"])).stderr).toContain('"LEASE_HELD"');
      expect((await statusOf(b)).state).toBe("failed");
    });
  });

  test("is not started when etcd is down: exit 78; a killed keeper ends its gateway too, and the reason is shown", async () => {
    await inTwoHomes(async (a, _b, etcd) => {
      expect((await a.run(["start", "prod"])).status).toBe(0);
      const { keeperPid, pid } = await statusOf(a);
      await killAndWait(keeperPid);
      await until("the gateway is gone", () => !isAlive(pid));
      await etcd.end();
      const { status, stderr } = await a.run(["start", "prod", "--json"]);
      expect(status).toBe(78);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: "LEASE_UNAVAILABLE" } });
      expect(await statusOf(a)).toMatchObject({ state: "failed", lease: { unknown: expect.stringContaining("etcd") } });
      expect((await a.run(["list"])).stdout).toContain("unknown");
      expect((await a.run(["doctor"])).stdout).toContain("prod: etcd does not answer");
    });
  });

  test("is not copied to a clone, and can be removed by edit", async () => {
    await inTwoHomes(async (a) => {
      await a.json(["clone", "prod", "copy"]);
      const moved = await a.run(["edit", "prod", "--lease", "etcd://h1:2379/lk/other?ttl=10s&standby=no"]);
      expect(moved.stdout).toMatch(
        /lease +etcd:\/\/\S+\/lk\/prod\?ttl=10s -> etcd:\/\/h1:2379\/lk\/other\?ttl=10s&standby=no\n/u,
      );
      await a.json(["edit", "prod", "--unset", "lease"]);
      const statuses = (await a.json(["list"])) as readonly Status[];
      expect(statuses.map(({ lease }) => lease)).toEqual([null, null]);
      expect((await a.run(["list"])).stdout).not.toContain("OWNER");
    });
  });
});

test("a password in a lease's address is refused and not repeated", async () => {
  await withScratchHome(async ({ run }) => {
    const { status, stdout, stderr } = await run(["create", "x", "--lease", "etcd://root:hunter2@h:2379/k"]);
    expect(status).toBe(2);
    expect(stdout + stderr).not.toContain("hunter2");
  });
});

test("a profile without a lease asks nobody for one", async () => {
  await withScratchHome(async (scratch) => {
    await scratch.json(["create", "dev", "--port", String(await freePort()), "--span", "1"]);
    expect(await statusOf(scratch)).toMatchObject({ state: "stopped", lease: null });
  });
});
