/** A user who has run an OpenClaw gateway for a long time: an `openclaw` on the PATH, a config, a running process. */
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../harness/until.ts";

const standIn = fileURLToPath(new URL("../openclaw/fixtures/openclaw-stand-in.js", import.meta.url));

/** Writes an `openclaw` into `folder` and returns a PATH that finds it. A broken one exits at once. */
export function installOpenClaw(folder: string, state: "works" | "broken"): string {
  const bin = path.join(folder, `bin-${state}`);
  writeProgram(
    path.join(bin, "openclaw"),
    state === "works" ? `exec "${process.execPath}" "${standIn}" "$@"` : "exit 1",
  );
  return `${bin}:${path.dirname(process.execPath)}:/usr/bin:/bin`;
}

/** Writes an executable shell program. */
export function writeProgram(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

/** Writes an OpenClaw profile into the user's home: the default one, or the one in `folder`. */
export function configure(userHome: string, port: number, folder = ".openclaw", gateway: object = {}): string {
  const stateDir = path.join(userHome, folder);
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(path.join(stateDir, "openclaw.json"), JSON.stringify({ gateway: { mode: "local", port, ...gateway } }));
  return stateDir;
}

/** How a person starts a gateway in a terminal. */
export interface HandStart {
  readonly env?: Readonly<Record<string, string>>;
  /** Before `gateway run`. */
  readonly globals?: readonly string[];
  /** After `gateway run --port N`. */
  readonly flags?: readonly string[];
}

/** Starts it as a person does in a terminal, and returns its pid once it listens. */
export async function startByHand(
  userHome: string,
  searchPath: string,
  port: number,
  { env = {}, globals = [], flags = [] }: HandStart = {},
): Promise<number> {
  const child = spawn("openclaw", [...globals, "gateway", "run", "--port", String(port), ...flags], {
    env: { PATH: searchPath, HOME: userHome, ...env },
    cwd: userHome,
    stdio: "ignore",
    detached: true,
  });
  child.unref();
  await untilHealthy(port);
  if (child.pid === undefined) throw new Error("openclaw was not started");
  return child.pid;
}

/** Returns once a gateway answers. */
export async function untilHealthy(port: number): Promise<void> {
  await until(`a gateway answers on ${port}`, async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    return answer?.ok === true;
  });
}
