/** The lock under test: `@lockkeeper/core`, by its public name, with its own defaults except for the deadline. */
import path from "node:path";
import { acquireGatewayLock } from "@lockkeeper/core";

export async function acquire({ directory, timeoutMs }) {
  const lock = await acquireGatewayLock({
    lockDir: path.join(directory, "lock"),
    configPath: path.join(directory, "gateway.json"),
    timeoutMs,
  });
  return () => lock.release();
}
