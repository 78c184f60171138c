/**
 * What users of the published packages get: each package is packed, installed into an empty project from its tarball,
 * imported, type checked and run. Only the content of the tarballs can make this pass.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { profilePool } from "../harness/ports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PACKAGES = ["core", "profiles", "cli"] as const;

const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-packed-"));
let project: string;
/** Why npm could not get the dependencies from its registry. */
let unreachable: string | undefined;

/** Source: `npm error code <errno>` of npm install(1), for a host that has no network. */
const NO_NETWORK = /\b(?:EAI_AGAIN|ENOTFOUND|ENETUNREACH|ECONNREFUSED|ETIMEDOUT|ENOTCACHED)\b/;
/** A registry that breaks off or is busy, besides. */
const TROUBLE = new RegExp(String.raw`${NO_NETWORK.source}|\b(?:ECONNRESET|EPIPE|ERR_SOCKET_TIMEOUT|E429|E5\d\d)\b`);
/** How often a command is tried that the registry fails. */
const TRIES = 3;

/** The pnpm that runs the tests, or the one that `.ci/run` names. */
function pnpm(): { readonly command: string; readonly args: readonly string[] } {
  const running = process.env["npm_execpath"];
  if (running !== undefined && /pnpm/.test(path.basename(running))) {
    return /\.[cm]?js$/.test(running) ? { command: process.execPath, args: [running] } : { command: running, args: [] };
  }
  const version = /pnpm@[\d.]+/.exec(readFileSync(path.join(root, ".ci/run"), "utf8"))?.[0] ?? "pnpm";
  return { command: "npx", args: ["-y", version] };
}

/** Runs a command that asks the registry; returns why that is not possible, or undefined when it has succeeded. */
function fetchBy(command: string, args: readonly string[], cwd: string): string | undefined {
  for (let left = TRIES; ; left -= 1) {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
    if (status === 0) return undefined;
    const trouble = TROUBLE.exec(stdout + stderr)?.[0];
    if (trouble === undefined) throw new Error(`${command} ${args.join(" ")}: exit ${status}: ${stdout}${stderr}`);
    if (left <= 1) return trouble;
  }
}

function pack(): string | undefined {
  // Asked first: without a network npm and npx try for minutes.
  const { stderr } = spawnSync("npm", ["ping", "--fetch-retries=0"], { encoding: "utf8" });
  const offline = NO_NETWORK.exec(stderr)?.[0];
  if (offline !== undefined) return offline;
  mkdirSync(path.join(scratch, "home"), { mode: 0o700 });
  writeFileSync(path.join(scratch, "home/config.json"), JSON.stringify(profilePool()), { mode: 0o600 });
  const { command, args } = pnpm();
  const tarballs: string[] = [];
  for (const name of PACKAGES) {
    const destination = path.join(scratch, name);
    mkdirSync(destination);
    const packing = [...args, "pack", "--pack-destination", destination];
    const trouble = fetchBy(command, packing, path.join(root, "packages", name));
    if (trouble !== undefined) return trouble;
    const [tarball] = readdirSync(destination);
    tarballs.push(path.join(destination, tarball ?? "no tarball was made"));
  }
  project = path.join(scratch, "consumer");
  mkdirSync(project);
  writeFileSync(
    path.join(project, "package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module" }),
  );
  return fetchBy("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs], project);
}

/** The limit for the packages of three projects, in milliseconds, on a machine that runs other tests too. */
const PACK_MS = 900_000;

beforeAll(() => {
  unreachable = pack();
  if (unreachable !== undefined)
    process.stdout.write(`skipped: the packed packages (npm reaches no registry: ${unreachable})\n`);
}, PACK_MS);

beforeEach(({ skip }) => skip(unreachable !== undefined, "npm reaches no registry"));

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
});

function runNode(source: string): string {
  const result = spawnSync(process.execPath, ["--input-type=module", "--eval", source], {
    cwd: project,
    encoding: "utf8",
    env: { ...process.env, LOCKKEEPER_HOME: path.join(scratch, "home") },
  });
  expect(result.stderr).toBe("");
  return result.stdout.trim();
}

describe("the packed packages", () => {
  test("contain no sources, tests or workspace protocol", () => {
    for (const name of ["@lockkeeper/core", "@lockkeeper/profiles", "lockkeeper"]) {
      const directory = path.join(project, "node_modules", name);
      const manifest = readFileSync(path.join(directory, "package.json"), "utf8");
      expect(manifest).not.toContain("workspace:");
      const entries = readdirSync(directory);
      expect(entries).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist", "package.json"]));
      expect(entries.filter((entry) => ["src", "test", "build", "tsconfig.json"].includes(entry))).toEqual([]);
    }
  });

  test("let an author take and release a lock", () => {
    const answer = runNode(`
      import { acquireGatewayLock } from "@lockkeeper/core";
      import { mkdirSync, readdirSync } from "node:fs";
      const lockDir = ${JSON.stringify(path.join(scratch, "locks"))};
      mkdirSync(lockDir, { mode: 0o700 });
      const lock = await acquireGatewayLock({ lockDir, configPath: lockDir + "/gateway.json" });
      const held = readdirSync(lockDir).length;
      await lock.release();
      console.log(held, readdirSync(lockDir).length);`);
    // Where there are no marks, the file that 0.1.0 recognizes stays too.
    expect(answer).toBe(process.platform === "linux" ? "1 0" : "2 0");
  });

  test("let an author list profiles", () => {
    expect(
      runNode(`
      import { openProfiles } from "@lockkeeper/profiles";
      console.log(JSON.stringify(await (await openProfiles()).list()));`),
    ).toBe("[]");
  });

  test("have types that a strict consumer can use", () => {
    writeFileSync(
      path.join(project, "consumer.ts"),
      `import { acquireGatewayLock, GatewayLockError, type GatewayLock } from "@lockkeeper/core";
       import { openProfiles, type ProfileStatus } from "@lockkeeper/profiles";
       export async function use(): Promise<readonly ProfileStatus[]> {
         const lock: GatewayLock = await acquireGatewayLock({ lockDir: "/nowhere", configPath: "/nowhere/c.json" });
         await lock.release();
         return (await openProfiles({ home: "/nowhere" })).list();
       }
       export const wrong = (error: GatewayLockError): "LOCK_HELD" | string => error.code;
       // @ts-expect-error a lock directory is not optional
       void acquireGatewayLock({ configPath: "x" });
      `,
    );
    const result = spawnSync(
      path.join(root, "node_modules/.bin/tsc"),
      ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,esnext.disposable,dom"]
        .concat(["--typeRoots", path.join(root, "node_modules/@types"), "--types", "node"])
        .concat(["--ignoreConfig", "consumer.ts"]),
      { cwd: project, encoding: "utf8" },
    );
    expect(result.stdout).toBe("");
    expect(result.status).toBe(0);
  });

  test("provide a lockkeeper command that works by itself", () => {
    const bin = path.join(project, "node_modules/.bin/lockkeeper");
    const env = { ...process.env, LOCKKEEPER_HOME: path.join(scratch, "home"), NO_COLOR: "1" };
    expect(execFileSync(bin, ["--version"], { encoding: "utf8", env }).trim()).toMatch(/^\d+\.\d+\.\d+/);
    try {
      execFileSync(bin, ["up", "dev"], { encoding: "utf8", env, stdio: "pipe" });
      const [dev] = JSON.parse(execFileSync(bin, ["list", "--json"], { encoding: "utf8", env })) as { state: string }[];
      expect(dev?.state).toBe("running");
    } finally {
      execFileSync(bin, ["down"], { env, stdio: "pipe" });
    }
  });
});
