import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort } from "../../../../test/harness/ports.ts";
import { checkHealth, formatHealthCheck, parseHealthCheck } from "../../src/kinds/health-check.ts";

describe("parseHealthCheck", () => {
  test("accepts tcp, none and a path; a path is strict only where the body is known", () => {
    expect(parseHealthCheck("tcp", "command")).toEqual({ kind: "tcp" });
    expect(parseHealthCheck("none", "builtin")).toEqual({ kind: "none" });
    expect(parseHealthCheck("/up?deep=1", "command")).toEqual({
      kind: "http",
      path: "/up?deep=1",
      expect: "2xx",
      scheme: "http",
    });
    expect(parseHealthCheck("/healthz", "openclaw")).toEqual({
      kind: "http",
      path: "/healthz",
      expect: "ok-body",
      scheme: "http",
    });
    expect(parseHealthCheck("http", "command", "https")).toEqual({ kind: "answer", scheme: "https" });
    expect(parseHealthCheck("/up", "command", "wss")).toMatchObject({ scheme: "https" });
    expect(parseHealthCheck("http", "command", "ws")).toEqual({ kind: "answer", scheme: "http" });
  });

  test.each(["", "TCP", "healthz", "http://127.0.0.1/healthz", "/with space", "/line\nbreak", "/ümlaut"])(
    "refuses %j",
    (text) => {
      expect(() => parseHealthCheck(text, "command")).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    },
  );

  test("formatHealthCheck reverses it", () => {
    for (const text of ["tcp", "none", "http", "/", "/healthz"]) {
      expect(formatHealthCheck(parseHealthCheck(text, "command"))).toBe(text);
    }
  });
});

describe("checkHealth", () => {
  let port: number;
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/no-content" ? 204 : request.url === "/gone" ? 404 : 200;
    response.end(request.url === "/healthz" ? '{"ok":true,"status":"live"}' : "");
  });

  beforeEach(async () => {
    port = await freePort();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  });

  afterEach(() => server.close());

  test.each([
    ["/healthz", "builtin", "ok"],
    ["/", "builtin", "failing"],
    ["/", "command", "ok"],
    ["/no-content", "command", "ok"],
    ["/gone", "command", "failing"],
    ["tcp", "command", "ok"],
    ["http", "command", "ok"],
    ["none", "command", "unknown"],
  ] as const)("judges %s of a %s gateway as %s", async (text, kind, health) => {
    expect(await checkHealth(parseHealthCheck(text, kind), "127.0.0.1", port)).toBe(health);
  });

  test.each(["tcp", "/healthz", "http"])("reports failing for %s where nothing listens", async (text) => {
    server.close();
    expect(await checkHealth(parseHealthCheck(text, "command"), "127.0.0.1", port)).toBe("failing");
  });
});
