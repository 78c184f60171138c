import * as fs from "node:fs";
import { createServer, connect } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { probePort } from "../../src/host/probe-port.ts";
import { coversAddress, findHolders, readClosingPorts, readListeners } from "../../src/host/sockets.ts";
import type { Listener } from "../../src/host/listener.ts";
import { freePort, NO_IPV6 } from "../../../../test/harness/ports.ts";

if (NO_IPV6 !== undefined) process.stdout.write(`skipped: listeners of IPv6: ${NO_IPV6}\n`);

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listen(host: string, options: { port?: number; ipv6Only?: boolean } = {}): Promise<number> {
  const server = createServer((socket) => socket.end());
  servers.push(server);
  server.listen({ host, port: 0, ...options });
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** As the kernel writes it: a number, an address of IPv4, and blanks up to 149 characters. */
function tableLine(number: number, state: string): string {
  const local = `0100007F:${(20_000 + number).toString(16).toUpperCase()} 00000000:0000`;
  const zeros = "00000000:00000000 00:00000000 00000000     0        0";
  return `${String(number).padStart(4)}: ${local} ${state} ${zeros} ${100 + number} 1`.padEnd(149);
}

function listenersOn(port: number): readonly Listener[] {
  const all = readListeners();
  if (all === "unknown") throw new Error("this host tells nothing about its sockets");
  return all.filter((listener) => listener.port === port);
}

describe("readListeners and findHolders", () => {
  test.skipIf(NO_IPV6 !== undefined)("find our own listener of each family in one pass, held by us", async () => {
    const port = await listen("127.0.0.1", { port: await freePort() });
    await listen("::1", { port });
    const found = listenersOn(port);
    expect(found.map(({ family, address }) => `${family} ${address}`).sort()).toEqual(["4 127.0.0.1", "6 ::1"]);
    const holders = findHolders(found, { among: [process.pid] });
    expect([...holders.values()].map((holder) => holder.pid)).toEqual([process.pid, process.pid]);
    expect(findHolders(found, { among: [1] }).size).toBe(0);
    expect(findHolders(found).get(found[0] as Listener)?.command).toContain("node");
  });

  test("a closed connection that lingers is no listener", async () => {
    const port = await listen("127.0.0.1");
    const socket = connect({ host: "127.0.0.1", port });
    socket.resume();
    await once(socket, "close");
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    const closing = readClosingPorts();
    expect(closing).not.toBe("unknown");
    expect(closing !== "unknown" && closing.has(port)).toBe(true);
    expect(listenersOn(port)).toEqual([]);
    expect(await probePort("127.0.0.1", port)).toEqual({ verdict: "free" });
  });

  test("find every listener when the kernel's table has several pages", async () => {
    const ports = await Promise.all(Array.from({ length: 90 }, () => listen("127.0.0.1")));
    const all = readListeners();
    const found = new Set(all === "unknown" ? [] : all.map((listener) => listener.port));
    expect(ports.filter((port) => !found.has(port))).toEqual([]);
  });

  test.skipIf(NO_IPV6 !== undefined)("find the only listener of IPv6, with and without connections", async () => {
    const port = await listen("::1");
    expect(listenersOn(port)).toMatchObject([{ family: 6, address: "::1" }]);
    const socket = connect({ host: "::1", port });
    socket.resume();
    await once(socket, "close");
    expect(listenersOn(port)).toMatchObject([{ family: 6, address: "::1" }]);
  });

  test("know that :: beside an IPv4 listener is IPv6 only", async () => {
    const port = await listen("::", { ipv6Only: true, port: await freePort() });
    expect(listenersOn(port)[0]?.v6only).toBe("unknown");
    await listen("127.0.0.1", { port });
    expect(listenersOn(port).find((listener) => listener.family === 6)?.v6only).toBe("yes");
  });
});

const row = (local: string, state: string, inode: number): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 100 0 0 10 0\n`;

const listenerAt = (address: string, v6only?: "yes" | "unknown"): Listener => {
  const base = { address, port: 1, inode: "1", uid: 0 };
  const family = address.includes(":") ? 6 : 4;
  return v6only === undefined ? { family, ...base } : { family, ...base, v6only };
};

describe("a host that shows less", () => {
  let root = "";
  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), "proc-"));
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  test("finds a listener on an asked port wherever a reading of the table ends", () => {
    for (const count of [0, 1, 18, 19, 20, 21, 60]) {
      const lines = Array.from({ length: 120 }, (_, number) => tableLine(number, number < count ? "0A" : "06"));
      fs.mkdirSync(join(root, "net"), { recursive: true });
      fs.writeFileSync(join(root, "net/tcp"), `${["  sl  local_address".padEnd(149), ...lines].join("\n")}\n`);
      const ports = new Set(Array.from({ length: 120 }, (_, number) => 20_000 + number));
      const found = readListeners({ procRoot: root, ports });
      expect(found === "unknown" ? found : found.map(({ port }) => port)).toEqual([...ports].slice(0, count));
    }
  });

  test("without /proc the listeners are unknown and no holder is found", () => {
    const procRoot = join(root, "absent");
    expect(readListeners({ procRoot })).toBe("unknown");
    expect(readClosingPorts({ procRoot })).toBe("unknown");
    const listener: Listener = { family: 4, address: "127.0.0.1", port: 1, inode: "1", uid: 0 };
    expect(findHolders([listener], { procRoot }).size).toBe(0);
  });

  test("reads the kernel's tables of both families, treats mapped addresses as IPv4, and skips sockets without a visible owner", () => {
    fs.mkdirSync(join(root, "net"));
    fs.mkdirSync(join(root, "77", "fd"), { recursive: true });
    fs.writeFileSync(join(root, "77", "cmdline"), "node\0server.js\0");
    fs.symlinkSync("socket:[501]", join(root, "77", "fd", "3"));
    const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    const tcp =
      head + row("0100007F:4965", "0A", 501) + row("0100007F:4966", "06", 0) + row("0100007F:4967", "01", 503);
    fs.writeFileSync(join(root, "net", "tcp"), tcp);
    const mapped = "0000000000000000FFFF00000100007F:4968";
    fs.writeFileSync(
      join(root, "net", "tcp6"),
      head + row(mapped, "0A", 502) + row(`${"0".repeat(32)}:4969`, "0A", 504),
    );
    const listeners = readListeners({ procRoot: root });
    expect(listeners).toEqual([
      { family: 4, address: "127.0.0.1", port: 18_789, inode: "501", uid: 1000 },
      { family: 4, address: "127.0.0.1", port: 18_792, inode: "502", uid: 1000 },
      { family: 6, address: "::", port: 18_793, inode: "504", uid: 1000, v6only: "unknown" },
    ]);
    const asked = new Set([18_790, 18_792, 18_793]);
    expect(readListeners({ procRoot: root, ports: asked })).toEqual(
      listeners === "unknown" ? [] : listeners.filter(({ port }) => asked.has(port)),
    );
    expect(readClosingPorts({ procRoot: root })).toEqual(new Set([18_790]));
    const counted: readonly (readonly [string, string, number])[] = [
      ["sockstat6", "TCP6: inuse 2", 3],
      ["sockstat6", "TCP6: inuse 0 or so", 3],
      ["sockstat6", "UDP6: inuse 0", 3],
      ["sockstat6", "TCP6: inuse 0", 1],
      ["sockstat", "TCP: inuse 1 orphan 0 tw 1", 1],
      ["sockstat", "TCP: inuse 01 orphan 0 tw 1", 1],
      ["sockstat", "UDP: inuse 0 mem 0", 1],
      ["sockstat", "TCP: inuse 0 orphan 0 tw 1", 0],
    ];
    for (const [file, line, found] of counted) {
      fs.writeFileSync(join(root, "net", file), `sockets: used 3\n${line}\nRAW: inuse 0\n`);
      expect(readListeners({ procRoot: root }), line).toHaveLength(found);
    }
    expect(readClosingPorts({ procRoot: root })).toEqual(new Set([18_790]));
    if (listeners === "unknown") return;
    const holders = findHolders(listeners, { procRoot: root });
    expect([...holders].map(([listener, holder]) => [listener.port, holder.pid, holder.command])).toEqual([
      [18_789, 77, "node server.js"],
    ]);
  });
});

describe("coversAddress", () => {
  test.each([
    [listenerAt("0.0.0.0"), "127.0.0.1", "yes"],
    [listenerAt("127.0.0.1"), "127.0.0.1", "yes"],
    [listenerAt("127.0.0.1"), "0.0.0.0", "yes"],
    [listenerAt("127.0.0.1"), "::1", "no"],
    [listenerAt("127.0.0.1"), "localhost", "yes"],
    [listenerAt("::1"), "localhost", "yes"],
    [listenerAt("::1"), "127.0.0.1", "no"],
    [listenerAt("::1"), "0:0:0:0:0:0:0:1", "yes"],
    [listenerAt("::1"), "[::1]", "yes"],
    [listenerAt("::", "unknown"), "127.0.0.1", "yes"],
    [listenerAt("::", "yes"), "127.0.0.1", "no"],
    [listenerAt("::", "yes"), "::1", "yes"],
    [listenerAt("100.64.0.7"), "127.0.0.1", "no"],
    [listenerAt("100.64.0.7"), "0.0.0.0", "yes"],
    [listenerAt("100.64.0.7"), "::", "yes"],
    [listenerAt("127.0.0.1"), "::ffff:127.0.0.1", "yes"],
    [listenerAt("100.64.0.7"), "gateway.example", "yes"],
  ] as const)("%o against a bind of %s: %s", (each, host, verdict) => {
    expect(coversAddress(each, host)).toBe(verdict);
  });

  test("agrees with the kernel", async () => {
    for (const [held, asked] of [
      ["0.0.0.0", "127.0.0.1"],
      ["127.0.0.1", "::1"],
      ["127.0.0.2", "127.0.0.1"],
      ["::", "127.0.0.1"],
      ["127.0.0.1", "0.0.0.0"],
      ["::1", "::"],
    ] as const) {
      if (NO_IPV6 !== undefined && [held, asked].includes("::1")) continue;
      const port = await listen(held, { port: await freePort() });
      const probe = await probePort(asked, port);
      const covered = listenersOn(port).some((each) => coversAddress(each, asked) === "yes");
      expect({ held, asked, verdict: probe.verdict }).toEqual({ held, asked, verdict: covered ? "taken" : "free" });
    }
  });
});

describe("probePort", () => {
  test("distinguishes taken, free and unknown", async () => {
    const port = await listen("127.0.0.1");
    expect(await probePort("127.0.0.1", port)).toEqual({ verdict: "taken", errno: "EADDRINUSE" });
    expect(await probePort("127.0.0.3", port)).toEqual({ verdict: "free" });
    // 192.0.2.0/24 is reserved for documentation (RFC 5737). No machine has it: the bind fails and nothing is sent.
    expect(await probePort("192.0.2.1", port)).toEqual({ verdict: "unknown", errno: "EADDRNOTAVAIL" });
  });
});
