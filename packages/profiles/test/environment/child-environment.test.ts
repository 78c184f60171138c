import { describe, expect, test } from "vitest";

import {
  buildChildEnvironment,
  buildKeeperEnvironment,
  unpackKeeperEnvironment,
} from "../../src/environment/child-environment.ts";

const WITHOUT_COLOURS = { NO_COLOR: "1", CLICOLOR: "0" };

describe("buildChildEnvironment", () => {
  test.each([
    ["sets one itself", { own: { FORCE_COLOR: "1" }, pass: [] }, { FORCE_COLOR: "1" }],
    ["sets it to nothing", { own: { NO_COLOR: "" }, pass: [] }, { NO_COLOR: "" }],
    ["passes one on", { own: {}, pass: ["CLICOLOR_FORCE"] }, { CLICOLOR_FORCE: "1" }],
    ["passes one on that is not set", { own: {}, pass: ["CLICOLOR"] }, {}],
  ])("sets no colour variable where the profile %s", (_, { own, pass }, expected) => {
    expect(buildChildEnvironment({ from: { CLICOLOR_FORCE: "1" }, own, pass })).toEqual(expected);
  });

  test("passes the allow-list and nothing that loads code, points elsewhere or is a secret", () => {
    const from = {
      PATH: "/bin",
      LC_ALL: "C",
      XDG_RUNTIME_DIR: "/run/user/1",
      https_proxy: "http://proxy",
      SSL_CERT_FILE: "/ca.pem",
      NODE_OPTIONS: "--require /evil.js",
      LD_PRELOAD: "/evil.so",
      DYLD_INSERT_LIBRARIES: "/evil.dylib",
      BASH_ENV: "/evil.sh",
      LOCKKEEPER_PROFILE: "prod",
      OPENCLAW_STATE_DIR: "/home/me/.openclaw",
      AWS_SECRET_ACCESS_KEY: "secret",
    };
    expect(buildChildEnvironment({ from, own: {}, pass: [] })).toEqual({
      ...WITHOUT_COLOURS,
      PATH: "/bin",
      LC_ALL: "C",
      XDG_RUNTIME_DIR: "/run/user/1",
      https_proxy: "http://proxy",
      SSL_CERT_FILE: "/ca.pem",
    });
  });

  test("passes what the owner names, if it is set; the profile's own values take precedence", () => {
    const from = { API_KEY: "k", NODE_OPTIONS: "--inspect", PATH: "/bin" };
    const own = { PATH: "/own/bin", PORT: "1" };
    expect(buildChildEnvironment({ from, own, pass: ["API_KEY", "NODE_OPTIONS", "ABSENT"] })).toEqual({
      ...WITHOUT_COLOURS,
      API_KEY: "k",
      NODE_OPTIONS: "--inspect",
      PATH: "/own/bin",
      PORT: "1",
    });
  });
});

function keeperOf(from: NodeJS.ProcessEnv, pass: readonly string[], speaksTls = false): Record<string, string> {
  return buildKeeperEnvironment({ home: "/h", from, pass, speaksTls });
}

describe("buildKeeperEnvironment", () => {
  test("loads the certificates only for a keeper that speaks TLS itself; its gateway always has them", () => {
    const from = { NODE_EXTRA_CA_CERTS: "/ca.pem" };
    expect(keeperOf(from, [])).not.toHaveProperty("NODE_EXTRA_CA_CERTS");
    expect(unpackKeeperEnvironment(keeperOf(from, []))).toMatchObject(from);
    expect(keeperOf(from, [], true)).toMatchObject(from);
    expect(unpackKeeperEnvironment(keeperOf(from, [], true))).toMatchObject(from);
  });

  test("has an allocator's settings of its own; the gateway sees them only where its owner passes them", () => {
    const own = { MALLOC_TRIM_THRESHOLD_: "65536", MALLOC_MMAP_THRESHOLD_: "65536" };
    expect(keeperOf({}, [])).toMatchObject(own);
    expect(unpackKeeperEnvironment(keeperOf({ MALLOC_TRIM_THRESHOLD_: "1" }, []))).not.toHaveProperty(
      "MALLOC_TRIM_THRESHOLD_",
    );
    const passed = keeperOf({ MALLOC_TRIM_THRESHOLD_: "1" }, ["MALLOC_TRIM_THRESHOLD_"]);
    expect(passed).toMatchObject(own);
    expect(unpackKeeperEnvironment(passed)).toMatchObject({ MALLOC_TRIM_THRESHOLD_: "1" });
    expect(unpackKeeperEnvironment(passed)).not.toHaveProperty("MALLOC_MMAP_THRESHOLD_");
  });
});
