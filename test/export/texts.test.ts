/**
 * The texts that `export` prints, before any engine gets them: every parser reads what was meant, hostile paths stay one
 * value, and they hold no secret. The tests beside this one run the engines.
 */
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { Service } from "kubernetes-models/v1/Service";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";

interface Exported {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly needs: readonly string[];
  readonly notes: readonly string[];
}

const FORMATS = ["compose", "kubernetes", "quadlet"] as const;

const exported = async ({ json }: ScratchHome, ...args: readonly string[]): Promise<Exported> =>
  (await json(["export", ...args])) as Exported;

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly serviceName?: string;
    readonly selector?: Record<string, string>;
    readonly ports?: readonly { readonly name: string }[];
    readonly template?: { readonly metadata: { readonly labels: object } };
  };
}

const textOf = ({ files }: Exported): string => files.map(({ text }) => text).join("\n");

/** A command in a folder whose name has a meaning for every engine, with secrets beside it. */
async function createHostile({ run, home, folder }: ScratchHome): Promise<string> {
  const cwd = path.join(folder, "a b $HOME %h #x");
  await mkdir(cwd);
  const envFile = path.join(home, "env");
  await writeFile(envFile, "API_KEY=secret-of-the-env-file\n", { mode: 0o600 });
  const create = [
    "create",
    "cmd",
    "--cwd",
    cwd,
    "--env",
    "OWN=secret-of-the-profile",
    "--env",
    "PASSED",
    "--env-file",
    envFile,
    "--hook",
    "failed=https://hooks.example/secret-of-the-hook",
  ];
  const made = await run([...create, "--", "node", "-e", "$(x) `y` %h\n: - #", "/etc/hostname", "{port}"]);
  expect(made.stderr).not.toContain("error:");
  expect(made.status).toBe(0);
  return cwd;
}

test("security 14: a builtin, a command with hostile words and an openclaw: paths, user and addresses are the host's, and no secret is shown", () =>
  withScratchHome(async (scratch) => {
    const { home, run, json } = scratch;
    expect((await run(["create", "wide", "--host", "0.0.0.0"])).status).toBe(0);
    expect((await run(["create", "oc", "--kind", "openclaw"])).status).toBe(0);
    const cwd = await createHostile(scratch);
    const list = (await json(["list"])) as readonly { name: string; port: number; paths: { profile: string } }[];
    const portOf = (name: string): number => list.find((each) => each.name === name)?.port ?? 0;
    const tokens = await Promise.all(list.map(({ paths }) => readFile(path.join(paths.profile, "token"), "utf8")));
    const { uid, gid } = await stat(home);

    for (const format of FORMATS) {
      const one = await exported(scratch, "wide", "oc", "cmd", "--format", format);
      const text = textOf(one);
      for (const secret of [
        ...tokens.map((token) => token.trim()),
        "secret-of-the-env-file",
        "secret-of-the-profile",
        "secret-of-the-hook",
      ]) {
        expect(JSON.stringify(one)).not.toContain(secret);
        expect(text).not.toContain(secret);
      }
      expect(one.needs).toEqual(
        expect.arrayContaining([
          "oc needs the program openclaw, in its PATH",
          "cmd needs the program node, in its PATH",
          "cmd needs /etc/hostname, which an argument names",
        ]),
      );
      // The same twice, byte for byte.
      expect(textOf(await exported(scratch, "wide", "oc", "cmd", "--format", format))).toBe(text);
    }

    const compose = parse(textOf(await exported(scratch, "wide", "oc", "cmd", "--format", "compose"))) as {
      services: Record<string, Record<string, unknown>>;
    };
    expect(compose.services["wide"]).toMatchObject({
      user: `${uid}:${gid}`,
      ports: [`0.0.0.0:${portOf("wide")}:${portOf("wide")}`],
      stop_grace_period: "25s",
      init: true,
      restart: "unless-stopped",
      read_only: true,
      volumes: [{ type: "bind", source: home, target: home }],
      environment: { LOCKKEEPER_HOME: home },
    });
    expect(compose.services["oc"]).toMatchObject({ network_mode: "host", stop_grace_period: "345s" });
    expect(compose.services["oc"]).not.toHaveProperty("ports");
    const doubled = cwd.replaceAll("$", "$$$$");
    expect(compose.services["cmd"]).toMatchObject({ environment: { PASSED: null } });
    expect(compose.services["cmd"]?.["volumes"]).toContainEqual(
      expect.objectContaining({ source: doubled, target: doubled }),
    );

    const { needs } = await exported(scratch, "cmd", "--format", "kubernetes");
    expect(needs).toContain(`cmd needs the folder ${cwd}, its working directory`);
  }));

function judge(object: { readonly kind: string; readonly spec: object }): () => void {
  const Model = object.kind === "Service" ? Service : StatefulSet;
  return () => new Model(object as never).validate();
}

test("the Kubernetes documents are valid for its models; with a wrong type they are refused", () =>
  withScratchHome(async (scratch) => {
    expect((await scratch.run(["create", "wide", "--host", "0.0.0.0", "--extra-port", "admin=+1"])).status).toBe(0);
    await createHostile(scratch);
    const documents = parseAllDocuments(textOf(await exported(scratch, "wide", "cmd", "--format", "kubernetes")));
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    const objects = documents.map((document) => document.toJS() as KubernetesObject);
    expect(objects.map(({ kind }) => kind)).toEqual(["StatefulSet", "Service", "StatefulSet"]);
    for (const object of objects) {
      expect(judge(object)).not.toThrow();
      const spoiled = object.kind === "Service" ? { ports: [{ port: "one" }] } : { replicas: "one" };
      expect(judge({ ...object, spec: { ...object.spec, ...spoiled } })).toThrow(/replicas|port/);
    }
    // The Service leads to the pods of its StatefulSet, and each name is unique.
    const [set, service] = objects;
    expect(set?.spec.template?.metadata.labels).toMatchObject(service?.spec.selector ?? { missing: "" });
    const ports = service?.spec.ports ?? [];
    expect(new Set(ports.map(({ name }) => name)).size).toBe(2);
    expect(set?.spec.serviceName).toBe(service?.metadata.name);
  }));

test("an address means the same however it is spelled", () =>
  withScratchHome(async (scratch) => {
    const { run, json } = scratch;
    const spelt: Record<string, "ipv4" | "all" | "host"> = { "0": "ipv4", "::": "all", "0::0": "all", "127.1": "host" };
    for (const [index, host] of Object.keys(spelt).entries()) {
      expect((await run(["create", `p${index}`, "--host", host])).status).toBe(0);
    }
    const list = (await json(["list"])) as readonly { name: string; host: string; port: number }[];
    for (const { name, host, port } of list) {
      const compose = parse(textOf(await exported(scratch, name, "--format", "compose"))) as {
        services: Record<string, { ports?: readonly string[] }>;
      };
      const expected = { ipv4: [`0.0.0.0:${port}:${port}`], all: [`${port}:${port}`], host: undefined };
      expect(compose.services[name]?.ports, host).toEqual(expected[spelt[host] ?? "host"]);
      const kubernetes = textOf(await exported(scratch, name, "--format", "kubernetes"));
      expect(kubernetes.includes("kind: Service"), host).toBe(spelt[host] !== "host");
    }
  }));

test("an openclaw that should be reachable from elsewhere, but whose own config says loopback, is reported and left alone", () =>
  withScratchHome(async (scratch) => {
    const { run } = scratch;
    expect((await run(["create", "oc", "--kind", "openclaw", "--host", "0.0.0.0"])).status).toBe(0);
    expect((await exported(scratch, "oc", "--format", "compose")).notes).toEqual([]);
    const [{ paths }] = (await scratch.json(["list"])) as [{ paths: { config: string } }];
    const { config } = paths;
    const text = (await readFile(config, "utf8")).replace('"lan"', '"loopback"');
    await writeFile(config, text);
    expect((await exported(scratch, "oc", "--format", "compose")).notes).toEqual([
      `oc listens on 127.0.0.1 by its own config, so nobody reaches it from outside its container: gateway.bind in ${config} has to be "lan"`,
    ]);
    expect(await readFile(config, "utf8")).toBe(text);
  }));

test("what an engine cannot express is refused, with one command that helps", () =>
  withScratchHome(async (scratch) => {
    const { run, home, folder } = scratch;
    const refusal = async (...args: readonly string[]): Promise<string> => {
      const { status, stdout, stderr } = await run(["export", ...args]);
      expect(stdout).toBe("");
      expect(status).toBe(2);
      return stderr;
    };
    const colon = path.join(folder, "a:b");
    await mkdir(colon);
    const create = async (name: string, ...args: readonly string[]): Promise<void> =>
      expect((await run(["create", name, ...args])).status).toBe(0);
    await create("colon", "--cwd", colon, "--", "node");
    await create("system", "--cwd", "/usr", "--", "node");
    await create("a-");
    const envFile = path.join(folder, "env");
    await writeFile(envFile, "A=b\n", { mode: 0o600 });
    await create("outside", "--env-file", envFile, "--", "node");
    expect(await refusal("colon", "--format", "quadlet")).toContain(colon);
    expect(await refusal("system", "--format", "compose")).toMatch(
      /would hide the image[^]*lockkeeper edit system --cwd/,
    );
    expect(await refusal("a-", "--format", "kubernetes")).toContain("lockkeeper rename a- a");
    expect(await refusal("outside", "--format", "kubernetes")).toContain(`--env-file ${home}/profiles/outside/env`);
    expect(await refusal("a-")).toContain("lockkeeper export a- --format compose");
    expect(await refusal("a-", "--format", "compose", "--image", "two words")).toContain("not the name of an image");
    expect((await run(["export", "nobody", "--format", "compose"])).status).toBe(4);
    // Refusals and exports change nothing.
    expect((await readdir(path.join(home, "profiles"))).toSorted()).toEqual(["a-", "colon", "outside", "system"]);
    const compose = parse((await run(["export", "outside", "--format", "compose"])).stdout) as {
      services: { outside: { volumes: unknown[] } };
    };
    expect(compose.services.outside.volumes).toContainEqual(
      expect.objectContaining({ source: envFile, target: envFile, read_only: true }),
    );
  }));
