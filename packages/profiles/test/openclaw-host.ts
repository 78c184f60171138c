/** A user's home with OpenClaw installations, as `discover` and `import` see them, and gateways that answer. */
import { identifyProcess } from "@lockkeeper/core/internal";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { freePort } from "../../../test/harness/ports.ts";
import type { ProfilesContext } from "../src/context.ts";
import type { HostRoots } from "../src/service-units/host-roots.ts";

export interface OpenClawHost {
  readonly userHome: string;
  readonly context: ProfilesContext;
  readonly roots: HostRoots;
  /** Writes files below the user's home; a name that ends in a slash is a folder. */
  readonly put: (files: Readonly<Record<string, string>>) => void;
}

/** Returns an empty user's home, which is removed afterwards. Lockkeeper's home in it does not exist. */
export function openClawHost(): OpenClawHost {
  const userHome = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "lockkeeper-user-")));
  onTestFinished(() => fs.rmSync(userHome, { recursive: true, force: true, maxRetries: 5 }));
  const units = path.join(userHome, ".config/systemd/user");
  return {
    userHome,
    context: {
      home: path.join(userHome, ".lockkeeper"),
      programs: { keeper: "", gateway: "" },
      env: { HOME: userHome, PATH: process.env["PATH"] },
    },
    roots: { userHome, unitDirectories: [{ manager: "systemd-user", path: units }], applications: [] },
    put: (files) => {
      for (const [name, text] of Object.entries(files)) {
        const file = path.join(userHome, name);
        fs.mkdirSync(name.endsWith("/") ? file : path.dirname(file), { recursive: true });
        if (!name.endsWith("/")) fs.writeFileSync(file, text);
      }
    },
  };
}

export interface RunningGateway {
  readonly pid: number;
  readonly port: number;
}

/** Starts a gateway that answers, and ends it with the test. `env`: besides the environment of the test. */
export async function startAnswering(env: Readonly<Record<string, string>> = {}): Promise<RunningGateway> {
  const program = fileURLToPath(new URL("fixtures/answering-gateway.js", import.meta.url));
  // Below the ports that other profiles of a test have: OpenClaw's defaults for names lie where the system chooses ports.
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, [program, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  onTestFinished(async () => {
    const gone = once(child, "close");
    child.kill("SIGKILL");
    await gone;
  });
  if (child.stdout === null || child.pid === undefined) throw new Error("the gateway was not started");
  await once(createInterface({ input: child.stdout }), "line");
  return { pid: child.pid, port };
}

/** Returns the lock record that OpenClaw would have in its state directory for this process. */
export function lockRecord({ pid, port }: RunningGateway, stateDir: string): Record<string, string> {
  const startTime = identifyProcess(pid)?.startTicks;
  const record = { pid, startTime, port, stateDir, configPath: path.join(stateDir, "openclaw.json") };
  return { [`tmp/openclaw-0/gateway.state.lock`]: JSON.stringify(record) };
}

/** Returns one hash over every path, mode, link target, byte and time of change below `folder`. */
export function treeHash(folder: string): string {
  const hash = createHash("sha256");
  for (const entry of fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const file = path.join(folder, entry);
    const stats = fs.lstatSync(file);
    hash.update(`${entry} ${stats.mode} ${stats.mtimeMs} ${stats.size}\n`);
    if (stats.isSymbolicLink()) hash.update(fs.readlinkSync(file));
    if (stats.isFile()) hash.update(fs.readFileSync(file));
  }
  return hash.digest("hex");
}
