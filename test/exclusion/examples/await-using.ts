import { homedir } from "node:os";
import { join } from "node:path";

import { acquireGatewayLock } from "@lockkeeper/core";

const folder = join(homedir(), ".my-gateway");

export async function main(serve: (signal: AbortSignal) => Promise<void>): Promise<void> {
  await using lock = await acquireGatewayLock({
    lockDir: join(folder, "lock"),
    configPath: join(folder, "gateway.json"),
  });
  await serve(lock.lost);
  // Here, and when serve throws, the lock file is removed and the lock is released.
}
