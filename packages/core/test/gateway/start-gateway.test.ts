import { EventEmitter, once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Gateway } from "../../src/gateway/gateway-host.ts";
import { probeHealth } from "../../src/gateway/health.ts";
import { startGateway } from "../../src/gateway/start-gateway.ts";
import type { StartGatewayOptions } from "../../src/gateway/start-gateway.ts";
import type * as GatewayLockModule from "../../src/lock/gateway-lock.ts";
import { acquireGatewayLock } from "../../src/lock/gateway-lock.ts";
import { until } from "../../../../test/harness/until.ts";
import { freePort, openSocket, TOKEN, within } from "./running-gateway.ts";

/** The release of a lock waits for this. */
const letGo: { when: Promise<unknown> | undefined } = vi.hoisted(() => ({ when: undefined }));

vi.mock("../../src/lock/gateway-lock.ts", async (importOriginal) => {
  const original = await importOriginal<typeof GatewayLockModule>();
  const acquire: typeof acquireGatewayLock = async (options) => {
    const lock = await original.acquireGatewayLock(options);
    const release = lock.release.bind(lock);
    lock.release = async () => {
      await letGo.when;
      await release();
    };
    return lock;
  };
  return { ...original, acquireGatewayLock: acquire };
});

function lockPlace(): { lockDir: string; configPath: string; lockFiles: () => string[] } {
  const home = mkdtempSync(path.join(tmpdir(), "lockkeeper-gateway-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  // Beside the config and not above it: then the lock file has one name in all releases.
  const lockDir = path.join(home, "own", "lock");
  return {
    lockDir,
    configPath: path.join(home, "gateway.json"),
    lockFiles: () => readdirSync(lockDir).filter((name) => name.endsWith(".lock")),
  };
}

async function start(
  options: Partial<StartGatewayOptions> & Pick<StartGatewayOptions, "lockDir" | "configPath">,
): Promise<Gateway> {
  const gateway = await startGateway({ token: TOKEN, onWarning: () => undefined, port: await freePort(), ...options });
  onTestFinished(() => gateway.close());
  return gateway;
}

test("it serves under a lock that names it, and leaves nothing behind", async () => {
  const { lockFiles, ...place } = lockPlace();
  const gateway = await start({ ...place, profile: "dev" });
  expect((await probeHealth(gateway)).health).toBe("ok");
  const [file = ""] = lockFiles();
  expect(file).toMatch(/^gateway\.[0-9a-f]{8}\.lock$/);
  const record: unknown = JSON.parse(readFileSync(path.join(place.lockDir, file), "utf8"));
  expect(record).toMatchObject({
    pid: process.pid,
    profile: "dev",
    host: "127.0.0.1",
    port: gateway.port,
    gateway: { pid: process.pid },
  });
  const socket = await openSocket(gateway);
  const closed = once(socket, "close");
  await within("the gateway to close", Promise.all([gateway.close(), gateway.closed]));
  expect(gateway.state).toBe("closed");
  expect((await closed)[0]).toBe(1001);
  expect(lockFiles()).toEqual([]);
  await gateway.close();
});

test("it releases the lock after the port, so a successor that gets the lock also gets the port", async () => {
  const { lockFiles, ...place } = lockPlace();
  const first = await start(place);
  await openSocket(first);
  const next = acquireGatewayLock({ ...place, timeoutMs: 10_000 });
  const closing = first.close();
  await using lock = await next;
  expect(first.state).toBe("closed");
  await closing;
  expect(lock.record.pid).toBe(process.pid);
  expect(lockFiles()).toHaveLength(1);
});

test("it is closed once its lock is free for the next owner, and not before", async () => {
  const { lockFiles, ...place } = lockPlace();
  const gateway = await start(place);
  const releasing = new EventEmitter();
  letGo.when = once(releasing, "now");
  let isClosed = false;
  const closing = gateway.close().then(() => (isClosed = true));
  await until("it serves no more", () => gateway.state === "closed");
  await new Promise((turned) => setImmediate(turned));
  expect([isClosed, lockFiles().length]).toEqual([false, 1]);
  releasing.emit("now");
  letGo.when = undefined;
  await within("the gateway to close", closing);
  expect(lockFiles()).toEqual([]);
});

test("a second gateway on the same config fails fast and does not disturb the first", async () => {
  const { lockFiles, ...place } = lockPlace();
  const first = await start(place);
  await expect(start({ ...place, timeoutMs: 200 })).rejects.toMatchObject({ code: "LOCK_HELD", ownerPid: process.pid });
  await expect(start({ ...place, timeoutMs: 200, port: first.port })).rejects.toMatchObject({
    name: "GatewayLockError",
  });
  expect(lockFiles()).toHaveLength(1);
  expect((await probeHealth(first)).health).toBe("ok");
});

test("a taken port leaves no lock file", async () => {
  const { lockFiles, ...place } = lockPlace();
  const stranger = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void stranger.close());
  await once(stranger, "listening");
  const { port } = stranger.address() as { port: number };
  await expect(start({ ...place, port })).rejects.toMatchObject({
    code: "PORT_IN_USE",
    message: `another gateway instance is already listening on ws://127.0.0.1:${port}`,
  });
  expect(lockFiles()).toEqual([]);
});

test("an address that this machine does not have leaves no lock file", async () => {
  const { lockFiles, ...place } = lockPlace();
  await expect(start({ ...place, host: "192.0.2.1" })).rejects.toMatchObject({
    code: "BIND_FAILED",
    message: expect.stringMatching(/^failed to bind gateway socket on ws:\/\/192\.0\.2\.1:\d+: ./) as unknown,
  });
  expect(lockFiles()).toEqual([]);
});

test("a wrong option is refused before the lock directory is made", async () => {
  const { lockFiles, ...place } = lockPlace();
  await expect(start({ ...place, token: "short" })).rejects.toMatchObject({ name: "TypeError" });
  await expect(start({ ...place, port: 0 })).rejects.toMatchObject({ name: "TypeError" });
  expect(lockFiles).toThrow("ENOENT");
});

test("an aborted start leaves no lock file", async () => {
  const { lockFiles, ...place } = lockPlace();
  const held = await acquireGatewayLock(place);
  const abort = new AbortController();
  const waiting = start({ ...place, timeoutMs: 10_000, signal: abort.signal });
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
  await held.release();
  expect(lockFiles()).toEqual([]);
});

test("a gateway that loses its lock stops serving, says so, and frees the port", async () => {
  const { lockFiles, ...place } = lockPlace();
  const warnings: string[] = [];
  const gateway = await start({ ...place, onWarning: (message) => void warnings.push(message) });
  const socket = await openSocket(gateway);
  const closed = once(socket, "close");
  const [file = ""] = lockFiles();
  rmSync(path.join(place.lockDir, file));
  mkdirSync(path.join(place.lockDir, file));
  await within("the gateway to close by itself", gateway.closed);
  expect(gateway.state).toBe("closed");
  expect((await closed)[0]).toBe(1001);
  expect(warnings).toEqual([expect.stringMatching(/GatewayLockError: .*; this gateway stops serving$/)]);
  expect((await probeHealth(gateway)).health).toBe("failing");
});

test.each([
  [{ prot: 1 }, 'startGateway: unknown option "prot"; did you mean port?'],
  [{ allowedHost: [] }, 'unknown option "allowedHost"; did you mean allowedHosts?'],
  [{ maxBacklogByte: 1 }, 'unknown option "maxBacklogByte"; did you mean maxBacklogBytes?'],
])("%j is a TypeError that names the nearest option, before anything is touched", async (wrong, message) => {
  const { lockFiles, ...place } = lockPlace();
  const started = start({ ...place, ...wrong } as Parameters<typeof start>[0]);
  await expect(started).rejects.toThrow(
    expect.objectContaining({ name: "TypeError", message: expect.stringContaining(message) as unknown }),
  );
  expect(lockFiles).toThrow("ENOENT");
});
