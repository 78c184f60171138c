/** Runs the command line as the process that users run, with a home of its own and nothing of our environment. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

/** The entry that always works after a build. */
export const CLI_ENTRY: string = path.join(
  path.dirname(createRequire(import.meta.url).resolve("lockkeeper/package.json")),
  "dist/lockkeeper.cjs",
);

export interface CliRun {
  /** null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Added to an empty environment; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Longer than a start may take by its own deadline. @default 120000 */
  readonly timeoutMs?: number;
}

/** Returns the environment of a user who has `home` and nothing else. */
export function bareEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: path.dirname(home),
    LOCKKEEPER_HOME: home,
    LANG: "C.UTF-8",
    NO_COLOR: "1",
  };
}

/** Runs one command to its end. A command past its deadline is killed, and the call fails. */
export async function runCli(home: string, args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const env: NodeJS.ProcessEnv = { ...bareEnvironment(home), ...options.env };
  const child = spawn(process.execPath, [CLI_ENTRY, ...args], {
    env,
    cwd: options.cwd ?? path.dirname(home),
    stdio: ["pipe", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 120_000,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined).end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}
