/** A home whose gateways run during the measurement, and single calls on it. */
import { spawnSync } from "node:child_process";
import { bareEnvironment, CLI_ENTRY } from "../../harness/cli.ts";

/** Calls `fn` with `home`, in which `count` built-in profiles `r0`, `r1`, ... run; none of them runs afterwards. */
export async function withRunning(
  node: string,
  home: string,
  count: number,
  fn: (home: string) => Promise<void> | void,
): Promise<void> {
  for (let index = 0; index < count; index += 1) callOnce(node, home, ["create", `r${index}`]);
  await whileUp(node, home, [], fn);
}

/** Calls `fn` with `home`, of whose profiles the named ones run, or all without a name; afterwards none does. */
export async function whileUp(
  node: string,
  home: string,
  names: readonly string[],
  fn: (home: string) => Promise<void> | void,
): Promise<void> {
  try {
    callOnce(node, home, ["up", ...names]);
    await fn(home);
  } finally {
    spawnSync(node, [CLI_ENTRY, "down"], { env: bareEnvironment(home), stdio: "ignore" });
  }
}

/** Returns how long the call took by the clock, in milliseconds, and what it printed. */
export function callOnce(
  node: string,
  home: string,
  args: readonly string[],
): { readonly tookMs: number; readonly stdout: string } {
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(node, [CLI_ENTRY, ...args], {
    env: bareEnvironment(home),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${args.join(" ")}: exit status ${status}\n${stderr}`);
  return { tookMs: performance.now() - begun, stdout };
}
