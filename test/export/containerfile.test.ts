/**
 * The Containerfile that `export --containerfile` prints, really built and run. It needs no network: the base image is
 * made from this machine's Node, npm asks a registry on the loopback that has the packages packed here, and a stand-in
 * for apt-get provides the init.
 */
import { execFile } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { CLI_ENTRY } from "../harness/cli.ts";
import { containerScenes, give } from "../harness/container-scene.ts";
import { find } from "../harness/podman-image.ts";
import { exported } from "./exported.ts";

const run = promisify(execFile);
const npm = find("npm");
const { fault, scene } = containerScenes("the Containerfile built");
if (npm === undefined) process.stdout.write("skipped: the Containerfile built: npm is not installed\n");

/** The limit for the packing of all packages, and for the whole test, in milliseconds, on a machine that runs other tests too. */
const LIMIT_MS = 900_000;

/** Returns the address of a registry that has the packed command line and all its dependencies. */
async function startRegistry(folder: string): Promise<string> {
  const packages = new Map<string, { readonly manifest: Manifest; readonly tarball: string }>();
  const pack = async (place: string, beside: string): Promise<void> => {
    const manifest = JSON.parse(readFileSync(path.join(place, "package.json"), "utf8")) as Manifest;
    if (packages.has(manifest.name)) return;
    const args = ["pack", place, "--ignore-scripts", "--json", "--pack-destination", folder];
    const { stdout } = await run(npm ?? "npm", args, {
      env: { PATH: process.env["PATH"], HOME: folder },
      timeout: LIMIT_MS,
    });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    packages.set(manifest.name, { manifest, tarball: path.join(folder, filename) });
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const real = realpathSync(path.join(beside, name));
      await pack(real, real.slice(0, real.lastIndexOf("/node_modules/") + "/node_modules".length));
    }
  };
  const cli = path.dirname(path.dirname(CLI_ENTRY));
  await pack(cli, path.join(cli, "node_modules"));
  const server = createServer((request, response) => {
    const [, name = "", file] =
      /^\/(@[^/]+\/[^/]+|[^/@]+)(\/-\/.+)?$/.exec(decodeURIComponent(request.url ?? "")) ?? [];
    const found = packages.get(name);
    if (found === undefined) return void response.writeHead(404).end("{}");
    if (file !== undefined) return void response.end(readFileSync(found.tarball));
    const { version } = found.manifest;
    const tarball = `http://${request.headers.host}/${name}/-/${version}.tgz`;
    const versions = { [version]: { ...found.manifest, devDependencies: {}, dist: { tarball } } };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Accepts what the Containerfile asks for, and nothing else. */
const APT_GET = `#!/bin/sh
case "$*" in
  update) ;;
  "install -y --no-install-recommends tini") touch /usr/bin/tini && cat /opt/tini >/usr/bin/tini && chmod 755 /usr/bin/tini ;;
  *) echo "apt-get: not expected: $*" >&2; exit 100 ;;
esac
`;
/** Behaves like tini: `-s` makes it reap even where it is not the first process. */
const TINI = `#!/bin/sh
[ "$1 $2" = "-s --" ] || exit 2
shift 2
exec catatonit -- "$@"
`;

describe.skipIf(fault !== undefined || npm === undefined)("the Containerfile", () => {
  test(
    "builds an image of the published package in which the exported profile runs, behind an init",
    () =>
      scene(async (scratch, podman) => {
        const { home, folder, run: lockkeeper } = scratch;
        expect((await lockkeeper(["create", "prod"])).status).toBe(0);
        const containerfile = await exported(scratch, "prod", "--format", "compose", "--containerfile");
        const base = /^FROM (\S+)$/m.exec(containerfile)?.[1] ?? "";
        const built = /podman build -t (\S+)/.exec(containerfile)?.[1] ?? "";
        // The base: this machine's Node with its npm, and the programs of a Debian image.
        const context = path.join(folder, "context");
        await mkdir(path.join(context, "npm/lib"), { recursive: true });
        const npmPackage = path.dirname(path.dirname(realpathSync(npm ?? "")));
        await cp(npmPackage, path.join(context, "npm/lib/node_modules/npm"), { recursive: true });
        await mkdir(path.join(context, "npm/bin"));
        await symlink("../lib/node_modules/npm/bin/npm-cli.js", path.join(context, "npm/bin/npm"));
        await mkdir(path.join(context, "npm/etc"));
        await writeFile(path.join(context, "npm/etc/npmrc"), `registry=${await startRegistry(folder)}\n`);
        for (const [name, text] of [
          ["npm/bin/apt-get", APT_GET],
          ["npm/bin/tini", TINI],
        ] as const) {
          await writeFile(path.join(context, name), text, { mode: 0o755 });
        }
        const programs = ["rm", "env"].map((name) => [find(name) ?? name, name] as const);
        for (const [file, name] of programs) await cp(realpathSync(file), path.join(context, "npm/bin", name));
        const baseFile = [
          `FROM ${podman.image}`,
          "ENTRYPOINT []",
          "COPY npm /usr/",
          "RUN cat /usr/bin/tini >/opt/tini && rm /usr/bin/tini",
          // Lockkeeper must come from the registry.
          "RUN rm -rf /opt/lockkeeper /usr/bin/lockkeeper",
        ];
        await writeFile(path.join(context, "Base"), `${baseFile.join("\n")}\n`);
        const build = ["build", "--pull=never", "--network=host", "--layers=false"];
        await podman.must(...build, "--tag", base, "--file", path.join(context, "Base"), context);
        await writeFile(path.join(folder, "Containerfile"), containerfile);
        await podman.must(...build, "--tag", built, "--file", path.join(folder, "Containerfile"), folder);
        give(home, 1000);
        const args = ["--network=host", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--user=1000:1000"];
        const own = [...args, "--volume", `${home}:${home}`, "--env", `LOCKKEEPER_HOME=${home}`];
        await podman.must("run", "--detach", "--name", "prod", ...own, built, "run", "prod");
        const waited = await podman.run("exec", "prod", "lockkeeper", "wait", "prod", "--timeout", "120s");
        expect(waited.status, waited.stderr + (await podman.run("logs", "prod")).stderr).toBe(0);
        const doctor = await podman.run("exec", "prod", "lockkeeper", "doctor");
        expect(doctor.stdout).not.toContain("reap");
        await podman.must("stop", "--time=20", "prod");
        expect((await podman.must("inspect", "--format", "{{.State.ExitCode}}", "prod")).trim()).toBe("0");
      }),
    LIMIT_MS,
  );
});
