/** The floor for a gateway as a process: a ws server of five lines. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { bareEnvironment } from "../../harness/cli.ts";

/**
 * Returns the server once it has answered a WebSocket. It has a gateway's environment, because some variables cost Node
 * a mebibyte.
 */
export async function startBareServer(node: string, home: string): Promise<ChildProcess> {
  const server = spawn(node, [bareServer()], { env: bareEnvironment(home), stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(server.stdout, "data")) as [Buffer];
  const client = new WebSocket(`ws://127.0.0.1:${Number(port.toString())}`);
  await once(client, "open");
  client.terminate();
  return server;
}

/** On return it is gone. */
export async function endBareServer(server: ChildProcess): Promise<void> {
  server.kill("SIGKILL");
  await once(server, "exit");
}

/** Plain JavaScript, so it stays among the sources and is not built. */
function bareServer(): string {
  const source = fileURLToPath(new URL("../bare-ws-server.js", import.meta.url));
  return existsSync(source) ? source : fileURLToPath(new URL("../../../bench/bare-ws-server.js", import.meta.url));
}
