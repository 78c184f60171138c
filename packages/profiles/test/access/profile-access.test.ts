import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { removeHandoverPage, writeHandoverPage } from "../../src/access/handover-page.ts";
import { profileAccess, readToken, refreshTokenFile } from "../../src/access/profile-access.ts";
import { importGateways } from "../../src/adopt/import.ts";
import { createProfile } from "../../src/life/create.ts";
import { requireManifest } from "../../src/registry/registry.ts";
import { pathsOf, scratchContext } from "../life/scratch-context.ts";
import { openClawHost } from "../openclaw-host.ts";

test("page and token of a created gateway come from its config as it is now, and the token file follows", async () => {
  const context = scratchContext();
  const { port } = await createProfile(context.home, { name: "oc", kind: "openclaw" });
  const paths = pathsOf(context, "oc");
  const first = readFileSync(paths.token, "utf8").trim();
  expect(await readToken(context, "oc")).toBe(first);
  expect(await profileAccess(context, "oc")).toEqual({
    name: "oc",
    state: "stopped",
    page: `http://127.0.0.1:${port}/`,
    fragment: `#token=${first}`,
  });

  const gateway = { mode: "local", auth: { mode: "token", token: "t/2 new" }, controlUi: { basePath: "/w/" } };
  writeFileSync(paths.config, JSON.stringify({ gateway }));
  expect(await profileAccess(context, "oc")).toMatchObject({
    page: `http://127.0.0.1:${port}/w/`,
    fragment: "#token=t%2F2%20new",
  });
  await refreshTokenFile(context, requireManifest(context.home, "oc"));
  expect(readFileSync(paths.token, "utf8")).toBe("t/2 new\n");
  expect(statSync(paths.token).mode & 0o777).toBe(0o600);
});

describe("an adopted gateway", () => {
  test.each([
    ["a token in its config", { auth: { token: "abc" } }, "", "abc"],
    ["a token in a variable that OpenClaw reads itself", { auth: { token: "${GATE}" } }, "GATE=from-file", "from-file"],
    ["a token in its env file alone", {}, "OPENCLAW_GATEWAY_TOKEN=env", "env"],
    ["a variable that nothing sets", { auth: { token: "${GATE}" } }, "", "takes the token from GATE, which is not set"],
    ["a secret store", { auth: { token: { source: "exec" } } }, "", "refers to a secret store"],
    ["a password", { auth: { mode: "password" } }, "", "asks for a password"],
    ["nothing", { auth: { mode: "none" } }, "", "asks for no token"],
  ])("with %s", async (_, gateway, envFile, expected) => {
    const host = openClawHost();
    host.put({
      ".openclaw/openclaw.json": JSON.stringify({ gateway: { mode: "local", port: 31_000, ...gateway } }),
      ".openclaw/.env": envFile,
    });
    await importGateways(host.context, "openclaw", { roots: host.roots });
    const told = await readToken(host.context, "openclaw").catch((error: unknown) => String(error));
    expect(told).toContain(expected);
  });
});

test("the page that hands over a token is readable by us alone, has no way out of its script, and is removed afterwards", async () => {
  const { home } = scratchContext();
  await createProfile(home, { name: "x" });
  const left = await writeHandoverPage(home, "http://127.0.0.1:1/#token=left");
  const file = await writeHandoverPage(home, "http://127.0.0.1:1/#token=</script><b>");
  expect(() => statSync(left)).toThrow();
  expect(path.dirname(file)).toBe(path.join(home, "run"));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8").match(/<\/script>/g)).toHaveLength(1);
  removeHandoverPage(file);
  expect(() => statSync(file)).toThrow();
});
