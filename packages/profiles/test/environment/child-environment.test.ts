import { describe, expect, it } from "vitest";

import { buildChildEnvironment } from "../../src/environment/child-environment.ts";

describe("buildChildEnvironment", () => {
  it("takes over the allow-list and nothing that loads code, points elsewhere or is a secret", () => {
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
      PATH: "/bin",
      LC_ALL: "C",
      XDG_RUNTIME_DIR: "/run/user/1",
      https_proxy: "http://proxy",
      SSL_CERT_FILE: "/ca.pem",
    });
  });

  it("passes what the owner names, if it is set, and lets the profile's own values win", () => {
    const from = { API_KEY: "k", NODE_OPTIONS: "--inspect", PATH: "/bin" };
    const own = { PATH: "/own/bin", PORT: "1" };
    expect(buildChildEnvironment({ from, own, pass: ["API_KEY", "NODE_OPTIONS", "ABSENT"] })).toEqual({
      API_KEY: "k",
      NODE_OPTIONS: "--inspect",
      PATH: "/own/bin",
      PORT: "1",
    });
  });
});
