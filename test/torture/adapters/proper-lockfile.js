/** proper-lockfile 4.1 (mkdir and mtime), with the shortest staleness that it allows: 2 s. */
import fs from "node:fs";
import path from "node:path";
import lockfile from "proper-lockfile";

export async function acquire({ directory, timeoutMs }) {
  const file = path.join(directory, "gateway.json");
  fs.closeSync(fs.openSync(file, "a"));
  const release = await lockfile.lock(file, {
    stale: 2_000,
    retries: { forever: true, factor: 1, minTimeout: 2, maxTimeout: 4, randomize: true, maxRetryTime: timeoutMs },
    // A robbed owner learns of it here. In this run it notices nothing, as it would until its next look.
    onCompromised: () => {},
  });
  return () => release().catch(() => {});
}
