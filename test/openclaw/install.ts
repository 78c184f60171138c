/**
 * Installs the real OpenClaw, and a Node that it accepts, from the npm registry into a scratch folder. No script of any
 * package runs: Node comes as the platform's own package, and OpenClaw works without its install scripts.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const OPENCLAW_VERSION = "2026.9.6";
/** Source: `engines` of that OpenClaw: ">=24.16.0 <25 || >=26.1.0". */
const NODE_VERSION = "24.21.0";

const nodePackage = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

const INSTALL_TIMEOUT_MS = 10 * 60_000;
const LOOK_TIMEOUT_MS = 20_000;

export interface Installation {
  /** The options after `--` of every profile of kind openclaw. */
  readonly command: readonly [node: string, openclaw: string];
  readonly versions: string;
}

/** Returns why the registry cannot be used, or undefined when it can. */
export async function registryFault(): Promise<string | undefined> {
  try {
    await npm(["view", `openclaw@${OPENCLAW_VERSION}`, "version", "--fetch-retries=0"], LOOK_TIMEOUT_MS);
    return undefined;
  } catch (error) {
    const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    const told = text.split("\n").filter((line) => line.startsWith("npm error"));
    return told[0] ?? `no answer within ${LOOK_TIMEOUT_MS / 1_000} s`;
  }
}

/** Returns how to run what an earlier call installed into `folder`, or undefined when those versions are missing. */
export async function findInstallation(folder: string): Promise<Installation | undefined> {
  const wanted = { [nodePackage]: NODE_VERSION, openclaw: OPENCLAW_VERSION };
  for (const [name, version] of Object.entries(wanted)) {
    const text = await readFile(path.join(folder, "node_modules", name, "package.json"), "utf8").catch(() => "{}");
    if ((JSON.parse(text) as { version?: string }).version !== version) return undefined;
  }
  return installationIn(folder);
}

/** Installs about 900 MB into `folder`, and returns how to run the result. */
export async function installOpenClaw(folder: string): Promise<Installation> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "package.json"), '{"private":true}\n');
  const packages = [`${nodePackage}@${NODE_VERSION}`, `openclaw@${OPENCLAW_VERSION}`];
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await npm(["install", "--prefix", folder, ...quiet, ...packages], INSTALL_TIMEOUT_MS);
  return installationIn(folder);
}

function installationIn(folder: string): Installation {
  const modules = path.join(folder, "node_modules");
  return {
    command: [path.join(modules, nodePackage, "bin/node"), path.join(modules, "openclaw/openclaw.mjs")],
    versions: `openclaw ${OPENCLAW_VERSION} on node ${NODE_VERSION}`,
  };
}

function npm(args: readonly string[], timeout: number): Promise<unknown> {
  return promisify(execFile)("npm", args, { timeout, killSignal: "SIGKILL" });
}
