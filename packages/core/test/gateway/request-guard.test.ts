import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { readHostOptions } from "../../src/gateway/gateway-options.ts";
import { guardRequests } from "../../src/gateway/request-guard.ts";
import {
  BEARER,
  openRaw,
  openSocket,
  sendRaw,
  startTestGateway,
  TOKEN,
  upgradeHead,
  within,
} from "./running-gateway.ts";

const SUBPROTOCOL = "Sec-WebSocket-Protocol: lockkeeper.v1, lockkeeper.bearer.";

describe("security 1: Host", () => {
  test.each(["127.0.0.1", "localhost", "[::1]", "gw.example", "other.example:8443"])(
    "%s is accepted, for requests and for upgrades",
    async (name) => {
      const gateway = await startTestGateway({ allowedHosts: ["gw.example", "other.example:8443"] });
      const host = `Host: ${name.includes(":8443") ? name : `${name}:${gateway.port}`}`;
      expect((await sendRaw(gateway, ["GET /healthz HTTP/1.1", host])).status).toBe(200);
      expect((await sendRaw(gateway, upgradeHead(gateway, host, BEARER))).status).toBe(101);
    },
  );

  test.each([
    ["another name", "Host: evil.example:PORT"],
    ["a name that resolves to loopback", "Host: 127.0.0.1.nip.example:PORT"],
    ["a trailing dot", "Host: localhost.:PORT"],
    ["another port", "Host: 127.0.0.1:1"],
    ["no port", "Host: 127.0.0.1"],
    ["another spelling of loopback", "Host: 127.1:PORT"],
    ["another case", "Host: LOCALHOST:PORT"],
    ["a user before it", "Host: user@127.0.0.1:PORT"],
    ["an empty one", "Host:"],
    ["none", "X-Nothing: here"],
    ["the right one twice", "Host: 127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT"],
    ["the right one, then another", "Host: 127.0.0.1:PORT\r\nhost: evil.example:PORT"],
    [
      "a right forwarded one",
      "Host: evil.example:PORT\r\nX-Forwarded-Host: 127.0.0.1:PORT\r\nForwarded: host=127.0.0.1:PORT",
    ],
  ])("%s is refused on every path and on upgrades", async (_, lines) => {
    const gateway = await startTestGateway({
      allowedHosts: ["gw.example"],
      onRequest: (_request, response) => void response.end(),
    });
    const host = lines.replaceAll("PORT", String(gateway.port));
    for (const path of ["/healthz", "/readyz", "/status", "/mine"]) {
      expect((await sendRaw(gateway, [`GET ${path} HTTP/1.1`, host, BEARER])).status).toBe(403);
    }
    const upgrade = upgradeHead(gateway, BEARER).map((line) => (/^host:/i.test(line) ? host : line));
    expect((await sendRaw(gateway, upgrade)).status).toBe(403);
  });

  test("a request target with its own host is refused", async () => {
    const gateway = await startTestGateway();
    const host = `Host: 127.0.0.1:${gateway.port}`;
    expect((await sendRaw(gateway, ["GET http://evil.example/healthz HTTP/1.1", host])).status).toBe(400);
    expect((await sendRaw(gateway, ["OPTIONS * HTTP/1.1", host])).status).toBe(400);
  });

  test.each([
    ["another Host", "Host: evil.example:1"],
    ["an Origin", "Origin: https://evil.example"],
    ["another token", "Authorization: Bearer y"],
  ])("%s after a thousand lines is seen, and that many lines are refused", async (_, hidden) => {
    const gateway = await startTestGateway({ maxHeaderLines: 5_000 });
    const strict = await startTestGateway();
    const lines = (port: number): string[] => [`Host: 127.0.0.1:${port}`, BEARER, ...Array(1_022).fill("a:"), hidden];
    for (const path of ["/status", "/healthz"]) {
      expect((await sendRaw(gateway, [`GET ${path} HTTP/1.1`, ...lines(gateway.port)])).status).toBe(403);
      expect((await sendRaw(strict, [`GET ${path} HTTP/1.1`, ...lines(strict.port)])).status).toBe(431);
    }
    expect((await sendRaw(gateway, upgradeHead(gateway, ...lines(gateway.port)))).status).toBe(403);
    expect((await sendRaw(strict, upgradeHead(strict, ...lines(strict.port)))).status).toBe(431);
  });

  test("an unknown expectation is answered after the guard, not before it", async () => {
    const gateway = await startTestGateway();
    const ask = async (...lines: string[]): Promise<number> =>
      (await sendRaw(gateway, ["GET /mine HTTP/1.1", "Expect: something", ...lines])).status;
    const host = `Host: 127.0.0.1:${gateway.port}`;
    expect(await ask("Host: evil.example", BEARER)).toBe(403);
    expect(await ask(host, "Origin: https://evil.example", BEARER)).toBe(403);
    expect(await ask(host)).toBe(401);
    expect(await ask(host, BEARER)).toBe(417);
  });

  test.each(["//evil.example/x", "/\\evil.example/x", "///evil.example"])(
    "the target %s, which a handler could resolve to a host, never reaches one",
    async (target) => {
      const gateway = await startTestGateway({ onRequest: (_request, response) => void response.end("mine") });
      const host = `Host: 127.0.0.1:${gateway.port}`;
      const { status, body } = await sendRaw(gateway, [`GET ${target} HTTP/1.1`, host, BEARER]);
      expect([status, body.includes("mine")]).toEqual([400, false]);
      const upgrade = upgradeHead(gateway, BEARER).map((line) => line.replace("GET / ", `GET ${target} `));
      expect((await sendRaw(gateway, upgrade)).status).toBe(400);
    },
  );

  test("CONNECT to another host is refused", async () => {
    const gateway = await startTestGateway();
    const socket = await openRaw(gateway);
    let text = "";
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.write(`CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n${BEARER}\r\n\r\n`);
    await within("the connection to end", once(socket, "close"));
    expect(text).not.toMatch(/^HTTP\/1\.1 2/);
  });

  test("a gateway bound to one more address answers under it", async () => {
    const gateway = await startTestGateway({ host: "127.0.0.2" });
    expect((await sendRaw(gateway, ["GET /healthz HTTP/1.1", `Host: 127.0.0.2:${gateway.port}`])).status).toBe(200);
  });
});

describe("security 2: Origin", () => {
  const allowed = "https://app.example";

  test.each([
    ["https://evil.example"],
    ["https://app.example/"],
    ["https://app.example:443"],
    ["https://APP.example"],
    ["https://app.example.evil.example"],
    ["http://app.example"],
    ["null"],
    [""],
  ])("%j is refused even with the token", async (origin) => {
    const gateway = await startTestGateway({ allowedOrigins: [allowed] });
    const lines = [`Host: 127.0.0.1:${gateway.port}`, `Origin: ${origin}`, BEARER, `X-Forwarded-For: ${allowed}`];
    expect((await sendRaw(gateway, ["GET /status HTTP/1.1", ...lines])).status).toBe(403);
    expect((await sendRaw(gateway, ["GET /healthz HTTP/1.1", ...lines])).status).toBe(403);
    expect((await sendRaw(gateway, upgradeHead(gateway, `Origin: ${origin}`, BEARER))).status).toBe(403);
  });

  test("an allowed origin gets in with the token, and only with it", async () => {
    const gateway = await startTestGateway({ allowedOrigins: [allowed] });
    const attempt = async (...lines: string[]): Promise<number> =>
      (await sendRaw(gateway, upgradeHead(gateway, `Origin: ${allowed}`, ...lines))).status;
    expect(await attempt(BEARER)).toBe(101);
    expect(await attempt(SUBPROTOCOL + TOKEN)).toBe(101);
    expect(await attempt()).toBe(401);
    expect(await attempt(`Origin: ${allowed}`, BEARER)).toBe(403);
    expect(await attempt("Origin: https://evil.example", BEARER)).toBe(403);
  });

  test("by default no origin is allowed, not even the gateway's own address", async () => {
    const gateway = await startTestGateway();
    const head = upgradeHead(gateway, `Origin: http://127.0.0.1:${gateway.port}`, BEARER);
    expect((await sendRaw(gateway, head)).status).toBe(403);
    const old = upgradeHead(gateway, "Sec-WebSocket-Origin: https://evil.example", BEARER);
    expect((await sendRaw(gateway, old)).status).toBe(403);
  });
});

describe("security 2: token", () => {
  test.each([
    ["none", "X-Nothing: here"],
    ["a wrong one", `Authorization: Bearer ${"x".repeat(43)}`],
    ["its beginning", `Authorization: Bearer ${TOKEN.slice(0, -1)}`],
    ["more than it", `Authorization: Bearer ${TOKEN}x`],
    ["another scheme", `Authorization: Basic ${TOKEN}`],
    ["no scheme", `Authorization: ${TOKEN}`],
    ["an empty one", "Authorization: Bearer "],
    ["a cookie", `Cookie: token=${TOKEN}`],
    ["an empty subprotocol", SUBPROTOCOL],
    ["two subprotocols", `${SUBPROTOCOL}${TOKEN}, lockkeeper.bearer.${TOKEN}`],
    ["a wrong header before a right subprotocol", `Authorization: Bearer x\r\n${SUBPROTOCOL}${TOKEN}`],
  ])("%s is not enough", async (_, lines) => {
    const gateway = await startTestGateway({ onRequest: (_request, response) => void response.end("mine") });
    const host = `Host: 127.0.0.1:${gateway.port}`;
    for (const path of ["/status", "/mine", "/healthz/", "//healthz", "/healthz%20"]) {
      const { status, body } = await sendRaw(gateway, [`GET ${path}?token=${TOKEN} HTTP/1.1`, host, lines]);
      expect([path, status, body.includes("mine")]).toEqual([path, 401, false]);
    }
    expect((await sendRaw(gateway, upgradeHead(gateway, lines))).status).toBe(401);
    const probe = upgradeHead(gateway, lines).map((line) => line.replace("GET / ", "GET /healthz "));
    expect((await sendRaw(gateway, probe)).status).toBe(401);
  });

  test("a repeated header is refused", async () => {
    const gateway = await startTestGateway();
    expect((await sendRaw(gateway, upgradeHead(gateway, BEARER, BEARER))).status).toBe(403);
  });

  test("a token given as a subprotocol is never sent back", async () => {
    const gateway = await startTestGateway();
    const { status, headers } = await sendRaw(gateway, upgradeHead(gateway, SUBPROTOCOL + TOKEN));
    expect(status).toBe(101);
    expect(headers).toMatch(/^sec-websocket-protocol: lockkeeper\.v1$/im);
    const alone = await sendRaw(gateway, upgradeHead(gateway, `Sec-WebSocket-Protocol: lockkeeper.bearer.${TOKEN}`));
    expect([alone.status, alone.headers.includes("bearer")]).toEqual([101, false]);
    const socket = await openSocket(gateway, { protocols: [`lockkeeper.bearer.${TOKEN}`, "lockkeeper.v1"] });
    expect(socket.protocol).toBe("lockkeeper.v1");
  });

  test.each(["", undefined, null, "short", "x".repeat(31), "x".repeat(257), `${"x".repeat(42)} `, 5])(
    "%j is refused at the start and not shown",
    async (token) => {
      const start = startTestGateway({ token: token as string });
      await expect(start).rejects.toMatchObject({ name: "TypeError" });
      if (typeof token === "string" && token.length > 4) await expect(start).rejects.not.toThrow(token);
    },
  );
});

interface Asked {
  /** Null: no token is sent. */
  readonly token?: string | null;
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The guard alone, so that the test can move its clock and give clients any address. */
function guardAt(): {
  readonly ask: (asked: Asked) => number;
  readonly pass: (ms: number) => void;
  readonly warnings: readonly string[];
} {
  let now = 0;
  const warnings: string[] = [];
  const settings = readHostOptions({
    port: 1,
    token: TOKEN,
    allowedOrigins: ["https://app.example", "https://other.example"],
    onWarning: (message) => void warnings.push(message),
  });
  const guard = guardRequests(settings, () => now);
  return {
    warnings,
    pass: (ms) => void (now += ms),
    ask({ token = "wrong", address = "127.0.0.1", headers = {} }) {
      const shown = token === null ? {} : { authorization: `Bearer ${token}` };
      const all: Record<string, string> = { host: "127.0.0.1:1", ...shown, ...headers };
      const rawHeaders = Object.entries(all).flat();
      const request = { url: "/", headers: all, rawHeaders, socket: { remoteAddress: address } };
      const verdict = guard(request as unknown as IncomingMessage, "guarded");
      return verdict.verdict === "allowed" ? 200 : verdict.status;
    },
  };
}

function fail(times: number, ask: () => number): number[] {
  return Array.from({ length: times }, ask);
}

describe("security 3: failures", () => {
  test("ten within a minute lead to five minutes of refusal, even of the correct token", () => {
    const { ask, pass } = guardAt();
    expect(fail(11, () => ask({}))).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    expect(ask({ token: TOKEN })).toBe(429);
    pass(299_000);
    expect(ask({ token: TOKEN })).toBe(429);
    pass(1_001);
    expect(ask({ token: TOKEN })).toBe(200);
  });

  test("a page cannot lock out the owner's tools, and the tools cannot lock out a page", () => {
    for (const headers of [
      { origin: "https://app.example" },
      { "sec-fetch-site": "cross-site" },
      { referer: "http://x/" },
    ]) {
      const page = guardAt();
      fail(20, () => page.ask({ headers }));
      expect([page.ask({ headers, token: TOKEN }), page.ask({ token: TOKEN })]).toEqual([429, 200]);
      const tool = guardAt();
      fail(20, () => tool.ask({}));
      expect([tool.ask({ headers, token: TOKEN }), tool.ask({ token: TOKEN })]).toEqual([200, 429]);
    }
  });

  test.each([
    ["127.0.0.1", "127.9.8.7"],
    ["127.0.0.1", "::1"],
    ["192.0.2.7", "::ffff:192.0.2.7"],
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3"],
    ["2001:db8::1:2:3:4:5", "2001:db8:0:1::9"],
    ["fe80::1%eth0", "fe80::2%eth1"],
  ])("%s and %s are one source", (address, other) => {
    const { ask } = guardAt();
    fail(10, () => ask({ address }));
    expect(ask({ address: other })).toBe(429);
  });

  test("images of a foreign page lock out neither the owner's own page nor the owner's tools", () => {
    const strange = [
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", referer: "https://evil.example/" },
      // With an untrusted address and a referrer policy, a browser sends none of these headers.
      {},
    ];
    for (const headers of strange) {
      const { ask } = guardAt();
      expect(fail(20, () => ask({ token: null, headers })).at(-1)).toBe(429);
      const page = { origin: "https://app.example", "sec-fetch-site": "cross-site" };
      expect([ask({ token: TOKEN, headers: page }), ask({ token: TOKEN })]).toEqual([200, 200]);
    }
  });

  test("one allowed page cannot lock out another", () => {
    const { ask } = guardAt();
    fail(20, () => ask({ headers: { origin: "https://app.example" } }));
    expect(ask({ token: TOKEN, headers: { origin: "https://other.example" } })).toBe(200);
  });

  test("two thousand sources elsewhere lock out neither this machine nor another network", () => {
    const { ask } = guardAt();
    for (let source = 0; source < 2_000; source += 1) {
      const address = `2001:db8:${(source >> 4).toString(16)}:${(source % 16).toString(16)}::1`;
      fail(source < 1_100 ? 10 : 1, () => ask({ address }));
    }
    fail(20, () => ask({ address: "2001:db9::1" }));
    expect(ask({ token: TOKEN })).toBe(200);
    expect(ask({ token: TOKEN, headers: { origin: "https://app.example" } })).toBe(200);
    expect(ask({ token: TOKEN, address: "192.0.2.7" })).toBe(200);
  });

  test("this machine has its own count even when every other table is full", () => {
    const { ask } = guardAt();
    for (let network = 0; network < 2_300; network += 1)
      fail(10, () => ask({ address: `10.${network >> 8}.${network % 256}.1` }));
    expect(ask({ address: "192.0.2.7", token: TOKEN })).toBe(429);
    expect(ask({ token: TOKEN })).toBe(200);
  });

  test("requests without a token leave the right one accepted, and the log says so", () => {
    const { ask, warnings } = guardAt();
    expect(fail(11, () => ask({ token: null })).at(-1)).toBe(429);
    expect(ask({ token: TOKEN })).toBe(200);
    expect(warnings).toEqual([
      "http://127.0.0.1:1: 10 failed attempts of programs without a token from this machine: refused for up to 300 s, the right token is still accepted",
    ]);
  });

  test("the log says who is refused, and a flood of refusals does not fill it", () => {
    const { ask, warnings, pass } = guardAt();
    fail(15, () => ask({}));
    expect(warnings).toEqual([
      "http://127.0.0.1:1: 10 failed attempts of programs with a token from this machine: refused for up to 300 s, the right token too",
    ]);
    for (let source = 0; source < 100; source += 1) fail(12, () => ask({ address: `192.0.2.${source}` }));
    expect(warnings).toHaveLength(10);
    expect(warnings.at(-1)).toMatch(/; further ones are not told for a while$/);
    expect(warnings.join("")).not.toContain("wrong");
    pass(59_999);
    fail(12, () => ask({ address: "198.51.100.1" }));
    expect(warnings).toHaveLength(10);
    pass(1);
    fail(12, () => ask({ address: "203.0.113.1" }));
    expect(warnings).toHaveLength(11);
    pass(301_000);
    fail(12, () => ask({}));
    expect(warnings).toHaveLength(12);
  });

  test("another machine is another source, whatever it claims", () => {
    const { ask } = guardAt();
    fail(10, () => ask({ address: "192.0.2.7" }));
    expect(ask({ address: "192.0.2.8", token: TOKEN })).toBe(200);
    expect(ask({ address: "192.0.2.7", headers: { "x-forwarded-for": "192.0.2.9" } })).toBe(429);
  });

  test.each([
    ["192.0.2", "192.0.3.1", (index: number) => `192.0.2.${index % 200}`],
    ["2001:db8:7", "2001:db:87::1", (index: number) => `2001:db8:7:${index.toString(16)}::1`],
    ["2001:0:0 in its short form", "2001:1::1", (index: number) => `2001::${index.toString(16)}:1:2:3:4`],
    ["fe80:: on one link", "2001:db8::1", (index: number) => `fe80:0:0:${index.toString(16)}::5%eth0`],
  ])(
    "when the table is full, new clients of the network %s are one source, and %s is another",
    (_, other, addressOf) => {
      const { ask } = guardAt();
      for (let index = 0; index < 1_100; index += 1)
        fail(10, () => ask({ address: `198.51.${index >> 8}.${index % 256}` }));
      const newcomers = Array.from({ length: 12 }, (__, index) => ask({ address: addressOf(index) }));
      expect(newcomers).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
      expect(ask({ address: other, token: TOKEN })).toBe(200);
    },
  );

  test.each([
    ["::1", "this machine"],
    ["127.1.2.3", "this machine"],
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8::7:8", "2001:db8:0:0::/64"],
    ["::2", "0:0:0:0::/64"],
    ["1:2:3:4::", "1:2:3:4::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4::/64"],
  ])("the log calls %s %s, with the reason", (address, place) => {
    for (const [headers, token, what] of [
      [{}, "wrong", "programs with a token"],
      [{}, null, "programs without a token"],
      [{ referer: "http://x/" }, null, "pages without a token"],
      [{ origin: "https://app.example" }, "wrong", "pages of https://app.example with a token"],
    ] as const) {
      const { ask, warnings } = guardAt();
      fail(11, () => ask({ address, headers, token }));
      expect(warnings).toEqual([expect.stringContaining(` 10 failed attempts of ${what} from ${place}: refused `)]);
    }
  });

  test("requests refused by Host or Origin are not guesses and cost nothing", () => {
    const { ask } = guardAt();
    fail(50, () => ask({ headers: { host: "evil.example:1" } }));
    fail(50, () => ask({ headers: { origin: "https://evil.example" } }));
    expect(ask({ token: TOKEN })).toBe(200);
  });

  test("over the wire: 401, then 429 with a time, for upgrades and requests alike; /healthz still answers", async () => {
    const gateway = await startTestGateway();
    const host = `Host: 127.0.0.1:${gateway.port}`;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect((await sendRaw(gateway, ["GET /status HTTP/1.1", host, "Authorization: Bearer wrong"])).status).toBe(401);
      expect((await sendRaw(gateway, upgradeHead(gateway, "Authorization: Bearer wrong"))).status).toBe(401);
    }
    for (const lines of [["GET /status HTTP/1.1", host, BEARER], upgradeHead(gateway, BEARER)]) {
      const { status, headers, body } = await sendRaw(gateway, lines);
      expect([status, /^retry-after: (?:300|29\d)$/im.test(headers)]).toEqual([429, true]);
      expect(body).toContain("too many failed attempts");
    }
    expect((await sendRaw(gateway, ["GET /healthz HTTP/1.1", host])).status).toBe(200);
  });
});

/** The verdict on one request to a gateway that accepts three header lines. */
function judge(changes: Partial<IncomingMessage>): ReturnType<ReturnType<typeof guardRequests>> {
  const settings = readHostOptions({ port: 1, token: TOKEN, allowedOrigins: [], maxHeaderLines: 3 });
  const headers = { host: "127.0.0.1:1", ...changes.headers };
  const rawHeaders = changes.rawHeaders ?? Object.entries(headers).flat();
  const request = { url: "/", socket: { remoteAddress: "127.0.0.1" }, ...changes, headers, rawHeaders };
  return guardRequests(settings)(request as IncomingMessage, "guarded");
}

describe("a refusal gives its reason", () => {
  const bearer = { authorization: `Bearer ${TOKEN}` };

  test.each<[string, Partial<IncomingMessage>, number]>([
    ["header lines", { headers: { ...bearer, a: "1", b: "2" } as never }, 431],
    ["Host header", { headers: { host: "evil.example" } }, 403],
    ["sent twice", { rawHeaders: ["Host", "127.0.0.1:1", "origin", "x", "Origin", "x"] }, 403],
    [
      "sent twice",
      { rawHeaders: ["Host", "127.0.0.1:1", "Sec-WebSocket-Origin", "x", "sec-websocket-origin", "x"] },
      403,
    ],
    ["origin is not in the allow-list", { headers: { "sec-websocket-origin": "https://app.example" } }, 403],
    ["must be a path", { url: "*" }, 400],
    ["must be a path", { url: undefined as never }, 400],
    ["two slashes", { url: "//x", headers: bearer }, 400],
    ["a token is needed", {}, 401],
    ["not the right one", { headers: { authorization: "Bearer wrong" } }, 401],
    ["not the right one", { headers: { authorization: "Basic wrong" } }, 401],
  ])("%s", (words, changes, status) => {
    expect(judge(changes)).toEqual({ verdict: "refused", status, reason: expect.stringContaining(words) });
  });

  test("this machine's names are accepted wherever it listens; a name without a port gets the gateway's port", () => {
    const settings = readHostOptions({
      port: 1,
      token: TOKEN,
      host: "192.0.2.1",
      allowedHosts: ["[2001:db8::1]", "a.example:9"],
    });
    const ask = (host: string): string => {
      const request = { url: "/", socket: {}, headers: { host }, rawHeaders: ["Host", host] };
      return guardRequests(settings)(request as unknown as IncomingMessage, "open").verdict;
    };
    const accepted = ["127.0.0.1:1", "localhost:1", "[::1]:1", "192.0.2.1:1", "[2001:db8::1]:1", "a.example:9"];
    expect(accepted.map(ask)).toEqual(accepted.map(() => "allowed"));
    expect(["[2001:db8::1]", "a.example:1", "a.example", ":1"].map(ask)).toEqual(Array(4).fill("refused"));
  });

  test("exactly as many header lines as the limit are accepted, and a header that decides nothing may be repeated", () => {
    expect(judge({ headers: { ...bearer, a: "1" } as never })).toEqual({ verdict: "allowed" });
    const rawHeaders = ["Host", "127.0.0.1:1", "Accept", "a", "accept", "b"];
    expect(judge({ headers: bearer, rawHeaders })).toEqual({ verdict: "allowed" });
    expect(judge({ headers: bearer, url: "/a//b" })).toEqual({ verdict: "allowed" });
  });
});
