/** An answer on a gateway's port is the gateway's health only when the gateway gave it. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { RunRecord } from "@lockkeeper/core";
import { ownIdentity } from "@lockkeeper/core/internal";
import { expect, test } from "vitest";
import type { Manifest } from "../../src/manifest.ts";
import { askHealth } from "../../src/status/ask-health.ts";
import type { ProfileObservation } from "../../src/status/observe-profile.ts";

const HOME = "/nowhere/.lockkeeper";

/** A running command whose keeper had that answer; `gateway` is this process or none that can be found. */
function observed(health: RunRecord["health"], gateway: ProfileObservation["observed"]["gateway"]): ProfileObservation {
  return {
    manifest: { name: "api", kind: "command", health: "tcp" } as Manifest,
    record: { health, nonce: "no-process-has-it" } as RunRecord,
    observed: { state: "unresponsive", reason: null, owner: "here", gateway, keeper: null, leftover: false },
  };
}

test.runIf(process.platform === "linux")("after a failed check another process's answer does not count", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  try {
    expect(await askHealth({ home: HOME }, observed("failing", null), at)).toBe("failing");
    expect(await askHealth({ home: HOME }, observed("failing", ownIdentity()), at)).toBe("ok");
    // While its keeper is content, nothing else is read.
    expect(await askHealth({ home: HOME }, observed("ok", null), at)).toBe("ok");
  } finally {
    server.close();
  }
});
