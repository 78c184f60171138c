import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { withProfiles } from "../supervision/scratch-profiles.ts";
import type { ScratchProfiles } from "../supervision/scratch-profiles.ts";

interface Told {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const tell = fileURLToPath(new URL("fixtures/tell.js", import.meta.url));

/** Creates and starts a profile that reports what it was given. */
async function told(
  { profiles, create, folder }: ScratchProfiles,
  options: Partial<Parameters<ScratchProfiles["create"]>[0]>,
  args: readonly string[] = [],
): Promise<Told> {
  const file = path.join(folder, "told.json");
  await create({ name: "api", ...options, argv: [process.execPath, tell, file, "{port}", ...args] });
  await profiles.start("api");
  return JSON.parse(await readFile(file, "utf8"));
}

describe.concurrent("a profile of kind command", () => {
  test("is not tried again and again when its program cannot run", () =>
    withProfiles(async ({ profiles, create }) => {
      await create({ name: "api", argv: ["sh", "-c", "exec no-such-program-anywhere"] });
      await expect(profiles.start("api")).rejects.toMatchObject({
        code: "GATEWAY_EXITED",
        message: expect.stringContaining("exited with code 127: its program was not found"),
        evidence: expect.arrayContaining([expect.stringContaining("no-such-program-anywhere")]),
      });
      expect((await profiles.status("api")).restarts).toBe(0);
    }));

  test("passes every argument on unchanged, placeholders filled in, and no shell interprets them", () =>
    withProfiles(async (scratch) => {
      const nasty = [
        "$HOME",
        "$(touch /tmp/never)",
        "`id`",
        "a b",
        "",
        "*",
        ";",
        "--",
        "-x",
        "ünï",
        "new\nline",
        "{{}}",
      ];
      const { args } = await told(scratch, {}, [...nasty, "{port+1}", "{name}", "{host}", "--state={stateDir}"]);
      const { port, paths } = await scratch.profiles.status("api");
      const filled = nasty.map((argument) => (argument === "{{}}" ? "{}" : argument));
      expect(args).toEqual([...filled, String(port + 1), "api", "127.0.0.1", `--state=${paths.state}`]);
    }));

  test("gives the allow-list, the profile's own values, and nothing else of the starter's environment", () =>
    withProfiles(
      async (scratch) => {
        const { env } = await told(scratch, {
          env: { MODE: "fast", LANG: "de_DE.UTF-8" },
          passEnv: ["API_KEY", "UNSET"],
        });
        const { home } = scratch;
        const { port, url, paths } = await scratch.profiles.status("api");
        const { LOCKKEEPER_RUN: run, ...rest } = env;
        expect(run).toMatch(/^[0-9a-f]{32}$/);
        expect(rest).toEqual({
          PATH: process.env["PATH"],
          HOME: path.dirname(home),
          LANG: "de_DE.UTF-8",
          NO_COLOR: "1",
          CLICOLOR: "0",
          HTTPS_PROXY: "http://127.0.0.1:9",
          MODE: "fast",
          API_KEY: "from the starter",
          PORT: String(port),
          HOST: "127.0.0.1",
          LOCKKEEPER_HOME: home,
          LOCKKEEPER_PROFILE: "api",
          LOCKKEEPER_HOST: "127.0.0.1",
          LOCKKEEPER_PORT: String(port),
          LOCKKEEPER_URL: url,
          LOCKKEEPER_STATE_DIR: paths.state,
          LOCKKEEPER_CONFIG_PATH: paths.config,
          LOCKKEEPER_WORKSPACE: path.join(paths.profile, "workspace"),
          LOCKKEEPER_TOKEN_FILE: path.join(paths.profile, "token"),
        });
      },
      {
        API_KEY: "from the starter",
        HTTPS_PROXY: "http://127.0.0.1:9",
        NODE_OPTIONS: "--max-old-space-size=4000",
        LD_PRELOAD: "/nowhere.so",
        BASH_ENV: "/nowhere.sh",
        AWS_SECRET_ACCESS_KEY: "not theirs",
        LOCKKEEPER_PROFILE: "another",
        OPENCLAW_STATE_DIR: "/another",
        LOCKKEEPER_RUN: "0123",
      },
    ));

  test("PORT and HOST are its own; the profile's values take precedence, from --env, the env file and the starter", () =>
    withProfiles(
      async (scratch) => {
        const { profiles, folder } = scratch;
        const first = await told(scratch, { env: { BASE: "http://{host}:{port+1}/", JSON: '{"a":{}}' } });
        const { port } = await profiles.status("api");
        expect(first.env).toMatchObject({ PORT: String(port), HOST: "127.0.0.1", JSON: '{"a":{}}' });
        expect(first.env["BASE"]).toBe(`http://127.0.0.1:${port + 1}/`);
        const again = async (): Promise<Told["env"]> => {
          await profiles.restart("api");
          return (JSON.parse(await readFile(path.join(folder, "told.json"), "utf8")) as Told).env;
        };
        const envFile = path.join(folder, "port.env");
        await writeFile(envFile, "PORT=2\n", { mode: 0o600 });
        await profiles.edit("api", { passEnv: ["HOST"], envFile });
        expect(await again()).toMatchObject({ PORT: "2", HOST: "from the starter" });
        await profiles.edit("api", { env: { PORT: "{port+3}" } });
        expect(await again()).toMatchObject({ PORT: String(port + 3) });
        await profiles.edit("api", { unset: ["env", "env-file"], portEnv: false });
        const bare = await again();
        expect(bare).not.toHaveProperty("PORT");
        expect(bare).not.toHaveProperty("HOST");
        expect(await profiles.gatewayEnvironment("api")).toEqual(
          Object.fromEntries(Object.entries(bare).filter(([name]) => name !== "LOCKKEEPER_RUN")),
        );
        const { set } = await profiles.environment("api");
        expect(set).not.toHaveProperty("PORT");
      },
      { HOST: "from the starter", PORT: "not passed" },
    ));

  test("refuses an unknown placeholder in --env, at create and at edit; one that was stored before this check stays", () =>
    withProfiles(async (scratch) => {
      const { profiles, create } = scratch;
      const code = { code: "OPTION_INVALID" };
      const argv = [process.execPath, tell];
      await expect(create({ name: "api", argv, env: { A: "{prot}" } })).rejects.toMatchObject(code);
      await create({ name: "api", argv, env: { A: "{{prot}} ${prot}", B: "{port+9}" } });
      await expect(profiles.edit("api", { env: { C: "{prot}" } })).rejects.toMatchObject(code);
      await expect(profiles.edit("api", { span: 5 })).rejects.toMatchObject(code);
    }));

  test("reads the env file at each start; --env outranks it, and neither changes the profile's own variables", () =>
    withProfiles(async (scratch) => {
      const { profiles, folder } = scratch;
      const envFile = path.join(folder, "api.env");
      await writeFile(envFile, "# secrets\nTOKEN=one\nMODE=file\nLOCKKEEPER_PORT=1\nLOCKKEEPER_RUN=mine\n", {
        mode: 0o600,
      });
      const first = await told(scratch, { envFile, env: { MODE: "profile" } });
      const { port } = await profiles.status("api");
      expect(first.env).toMatchObject({ TOKEN: "one", MODE: "profile", LOCKKEEPER_PORT: String(port) });
      expect(first.env["LOCKKEEPER_RUN"]).not.toBe("mine");
      await writeFile(envFile, "TOKEN=two\n");
      await profiles.restart("api");
      const second: Told = JSON.parse(await readFile(path.join(folder, "told.json"), "utf8"));
      expect(second.env["TOKEN"]).toBe("two");
      expect(second.env).not.toHaveProperty("MODE", "file");
      const registry = await readFile(path.join(scratch.home, "registry.json"), "utf8");
      expect(registry).not.toContain("two");
    }));

  test("refuses an env file that others can read, and a missing one, before anything runs", () =>
    withProfiles(async (scratch) => {
      const { profiles, folder } = scratch;
      const envFile = path.join(folder, "api.env");
      await writeFile(envFile, "TOKEN=one\n", { mode: 0o600 });
      await told(scratch, { envFile });
      await profiles.stop("api");
      await chmod(envFile, 0o640);
      await expect(profiles.start("api")).rejects.toMatchObject({
        code: "UNSAFE_PATH",
        message: `unsafe path: ${envFile} is open to others (mode 0640)`,
        hint: `Close it: chmod 600 ${envFile}`,
      });
      await rm(envFile);
      await expect(profiles.start("api")).rejects.toMatchObject({
        code: "OPTION_INVALID",
        message: `the env file is missing: ${envFile}`,
      });
      expect(await profiles.status("api")).toMatchObject({ state: "stopped", lock: { verdict: "free" } });
    }));

  test("runs where it was told to, and says so when that directory is missing", () =>
    withProfiles(async (scratch) => {
      const { profiles, folder } = scratch;
      const cwd = path.join(folder, "project");
      await mkdir(cwd);
      expect((await told(scratch, { cwd })).cwd).toBe(cwd);
      await profiles.stop("api");
      await rm(cwd, { recursive: true });
      await expect(profiles.start("api")).rejects.toMatchObject({
        code: "COMMAND_NOT_FOUND",
        message: expect.stringContaining(`its working directory is missing: ${cwd}`),
      });
      expect((await profiles.status("api")).state).toBe("failed");
    }));

  test("runs in its workspace unless told otherwise", () =>
    withProfiles(async (scratch) => {
      const { cwd } = await told(scratch, {});
      const { paths } = await scratch.profiles.status("api");
      expect(cwd).toBe(path.join(paths.profile, "workspace"));
    }));

  test("knows its extra ports by name", () =>
    withProfiles(async (scratch) => {
      await told(scratch, { extraPorts: { metrics: 1, admin: 9 } });
      const { port, ports } = await scratch.profiles.status("api");
      expect(ports).toEqual({ gateway: port, metrics: port + 1, admin: port + 9 });
    }));

  test("is running as soon as its process lives when it has no port to open", () =>
    withProfiles(async ({ profiles, create }) => {
      await create({ name: "job", span: 1, health: "none", argv: ["sleep", "600"] });
      const { status } = await profiles.start("job");
      expect(status).toMatchObject({ state: "running", health: "unknown" });
      expect(await profiles.start("job")).toMatchObject({ outcome: "already-running", status: { pid: status.pid } });
    }));

  test.each([[["{nope}"]], [["serve", "{port+10}"]], [["serve", "{port"]]])("refuses %j at creation", (argv) =>
    withProfiles(async ({ profiles, create }) => {
      await expect(create({ name: "api", argv })).rejects.toMatchObject({ code: "OPTION_INVALID" });
      expect(await profiles.list()).toEqual([]);
    }),
  );
});
