import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createProfile } from "../../src/life/create.ts";
import { clientArgv } from "../../src/environment/client-argv.ts";
import { gatewayEnvironment } from "../../src/environment/gateway-environment.ts";
import { requireManifest } from "../../src/registry/registry.ts";
import { PROFILE_VARIABLES } from "../../src/environment/profile-environment.ts";
import { formatShellEnvironment, shellEnvironment } from "../../src/environment/shell-environment.ts";
import { pathsOf, scratchContext } from "../life/scratch-context.ts";

test("acting on B, nothing of A remains: config, state, port and workspace all belong to B", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "a", kind: "openclaw", env: { CUSTOM: "of a" } });
  const b = await createProfile(context.home, { name: "b" });
  const ofA = shellEnvironment(context, "a").child;
  const everything = Object.fromEntries(PROFILE_VARIABLES.map((variable) => [variable, ofA[variable] ?? "of a"]));
  const { child, unset, set } = shellEnvironment({ ...context, env: { ...ofA, ...everything } }, "b");
  const paths = pathsOf(context, "b");
  expect(
    Object.keys(child)
      .filter((variable) => /^(?:LOCKKEEPER|OPENCLAW)_/.test(variable))
      .sort(),
  ).toEqual(
    [
      "LOCKKEEPER_CONFIG_PATH",
      "LOCKKEEPER_HOME",
      "LOCKKEEPER_HOST",
      "LOCKKEEPER_PORT",
      "LOCKKEEPER_PROFILE",
      "LOCKKEEPER_STATE_DIR",
      "LOCKKEEPER_TOKEN_FILE",
      "LOCKKEEPER_URL",
      "LOCKKEEPER_WORKSPACE",
    ].sort(),
  );
  expect(child).toMatchObject({
    LOCKKEEPER_PROFILE: "b",
    LOCKKEEPER_PORT: String(b.port),
    LOCKKEEPER_STATE_DIR: paths.state,
    LOCKKEEPER_CONFIG_PATH: paths.config,
    LOCKKEEPER_WORKSPACE: paths.workspace,
  });
  expect(child["PATH"]).toBe(context.env["PATH"]);
  // A shell that drops and sets these variables has exactly that and no more.
  expect(PROFILE_VARIABLES.filter((variable) => !unset.includes(variable) && !Object.hasOwn(set, variable))).toEqual(
    [],
  );
});

test("a variable named OPENCLAW_... that the profile does not set is dropped, known or not", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "oc", kind: "openclaw", env: { OPENCLAW_OFFLINE: "1" } });
  const others = {
    OPENCLAW_AGENT_DIR: "/x",
    OPENCLAW_CONTAINER: "foo",
    OPENCLAW_NEVER_HEARD_OF: "1",
    OPENCLAW_OFFLINE: "0",
  };
  const { child, unset, set } = shellEnvironment({ ...context, env: { ...context.env, ...others } }, "oc");
  expect(child).toMatchObject({ OPENCLAW_OFFLINE: "1", OPENCLAW_PROFILE: "oc", OPENCLAW_SUPERVISOR_MODE: "external" });
  for (const name of ["OPENCLAW_AGENT_DIR", "OPENCLAW_CONTAINER", "OPENCLAW_NEVER_HEARD_OF"]) {
    expect(child).not.toHaveProperty(name);
    expect(unset).toContain(name);
  }
  expect(set).not.toHaveProperty("NO_COLOR");
  const gateway = await gatewayEnvironment(
    { ...context, env: { ...context.env, ...others } },
    requireManifest(context.home, "oc"),
    1,
  );
  expect(
    Object.keys(gateway)
      .filter((name) => name.startsWith("OPENCLAW_"))
      .sort(),
  ).toEqual([
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_GATEWAY_PORT",
    "OPENCLAW_NO_RESPAWN",
    "OPENCLAW_OFFLINE",
    "OPENCLAW_PROFILE",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_SUPERVISOR_MODE",
  ]);
});

test("a client of the profile is the program that the profile runs", async () => {
  const { home } = scratchContext();
  await createProfile(home, {
    name: "oc",
    kind: "openclaw",
    argv: ["/opt/node", "/opt/oc.mjs", "gateway", "run", "--bind", "lan"],
  });
  await createProfile(home, { name: "plain", kind: "openclaw" });
  const argv = ["openclaw", "config", "get"] as const;
  expect(clientArgv(requireManifest(home, "oc"), [...argv])).toEqual(["/opt/node", "/opt/oc.mjs", "config", "get"]);
  expect(clientArgv(requireManifest(home, "oc"), ["npm", "test"])).toEqual(["npm", "test"]);
  expect(clientArgv(requireManifest(home, "plain"), [...argv])).toEqual([...argv]);
});

test("an OpenClaw profile has OpenClaw's own variables, without its secrets", async () => {
  const context = scratchContext();
  const a = await createProfile(context.home, { name: "a", kind: "openclaw" });
  const { set } = shellEnvironment(context, "a");
  expect(set).toMatchObject({
    OPENCLAW_STATE_DIR: a.paths.state,
    OPENCLAW_CONFIG_PATH: a.paths.config,
    OPENCLAW_GATEWAY_PORT: String(a.port),
  });
  expect(Object.keys(set).filter((variable) => /TOKEN$|PASSWORD$/.test(variable))).toEqual([]);
});

describe("formatShellEnvironment", () => {
  const hostile = {
    profile: "p",
    protected: false,
    unset: ["OLD"],
    set: { VALUE: `it's $HOME \`x\` \\ "q"` },
    child: {},
  };

  test.for([["bash"], ["zsh"], ["fish"]] as const)("%s reads every value unchanged", ([shell], { skip }) => {
    const program = ["/bin", "/usr/bin"].map((folder) => `${folder}/${shell}`).find((file) => existsSync(file));
    if (program === undefined) return skip(`${shell} is not installed`);
    const script = `${formatShellEnvironment(hostile, shell)}printf '%s|%s' "$VALUE" "$OLD"`;
    const output = execFileSync(program, ["-c", script], {
      env: { OLD: "old", PATH: "/usr/bin:/bin" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(output).toBe(`${hostile.set.VALUE}|`);
  });
});
