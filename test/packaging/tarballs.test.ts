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

const root = fileURLToPath(new URL("../..", import.meta.url));
const PACKAGES = ["core", "profiles", "cli"] as const;

let scratch: string;
let project: string;
/** Why npm could not get the dependencies from its registry. */
let unreachable: string | undefined;

/** Source: `npm error code <errno>` of npm install(1), for a host that has no network. */
const NO_NETWORK = /\b(?:EAI_AGAIN|ENOTFOUND|ENETUNREACH|ECONNREFUSED|ETIMEDOUT|ENOTCACHED)\b/;

/** The pnpm that runs the tests, or the one that `.ci/run` names. */
function pnpm(): { readonly command: string; readonly args: readonly string[] } {
  const running = process.env["npm_execpath"];
  if (running !== undefined && /pnpm/.test(path.basename(running))) {
    return /\.[cm]?js$/.test(running) ? { command: process.execPath, args: [running] } : { command: running, args: [] };
  }
  const version = /pnpm@[\d.]+/.exec(readFileSync(path.join(root, ".ci/run"), "utf8"))?.[0] ?? "pnpm";
  return { command: "npx", args: ["-y", version] };
}

beforeAll(() => {
  // Asked first: without a network npm and npx try for minutes.
  const { stderr } = spawnSync("npm", ["ping", "--fetch-retries=0"], { encoding: "utf8" });
  unreachable = NO_NETWORK.exec(stderr)?.[0];
  if (unreachable !== undefined) {
    process.stdout.write(`skipped: the packed packages (npm reaches no registry: ${unreachable})\n`);
    return;
  }
  scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-packed-"));
  const { command, args } = pnpm();
  const tarballs = PACKAGES.map((name) => {
    const destination = path.join(scratch, name);
    mkdirSync(destination);
    execFileSync(command, [...args, "pack", "--pack-destination", destination], {
      cwd: path.join(root, "packages", name),
      stdio: "pipe",
    });
    const [tarball] = readdirSync(destination);
    return path.join(destination, tarball ?? "no tarball was made");
  });
  project = path.join(scratch, "consumer");
  mkdirSync(project);
  writeFileSync(
    path.join(project, "package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module" }),
  );
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs], {
    cwd: project,
    stdio: "pipe",
  });
});

beforeEach(({ skip }) => skip(unreachable !== undefined, "npm reaches no registry"));

afterAll(() => {
  if (unreachable === undefined) rmSync(scratch, { recursive: true, force: true });
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
